//! The elements of HTML, by lower-cased name: what begins a line, what stands apart, what has no end.

use super::List;

/// Whether a blank line stands around it.
pub(crate) fn is_section(name: &str) -> bool {
    SECTIONS.has(name)
}

/// Whether it begins a line.
pub(crate) fn is_block(name: &str) -> bool {
    SECTIONS.has(name) || BLOCKS.has(name)
}

/// Whether HTML has it.
pub(crate) fn is_element(name: &str) -> bool {
    is_block(name) || INLINE.has(name)
}

/// Whether it is never closed.
pub(crate) fn is_void(name: &str) -> bool {
    VOID.has(name)
}

static SECTIONS: List = List::new("article aside details dl fieldset figure footer form header main nav section table");

static BLOCKS: List = List::new(
    "address blockquote body br caption dd div dt figcaption h1 h2 h3 h4 h5 h6 head hr html legend li ol p pre
    summary title tr ul",
);

static INLINE: List = List::new(
    "a abbr b button cite code col colgroup em i iframe img input label link meta option path s script select small
    span strong style sub sup svg tbody td textarea tfoot th thead time u video",
);

static VOID: List = List::new("area br col embed hr img input link meta source track wbr");
