//! The forms that a text may have, by name.

/// What kind of text a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Addressed to the model; no material.
    Frame,
    /// Sentences, headings, lists.
    Prose,
    /// One JSON object or array.
    Json,
    /// JSON values, one a line.
    JsonLines,
    /// Log lines, build and test output, with their stack traces.
    Log,
    /// Rows with cells between pipes or tabs.
    Table,
    /// Rows with cells between commas or semicolons.
    Csv,
    /// Aligned columns: `ps`, `kubectl get`, `pip list`, `ls -l`.
    Columns,
    /// Search results: hits under their files.
    Hits,
    /// Entries one a line: files, trees, packages.
    Listing,
    /// Source code, and whatever stands in a fence.
    Code,
    /// A unified diff.
    Diff,
    /// An HTML document.
    Html,
    /// `key: value` or `key = value` lines: YAML, ini files, headers.
    Keyed,
    /// Base64 and the like: nothing a reader reads.
    Opaque,
}

impl Form {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Prose => "prose",
            Self::Json => "json",
            Self::JsonLines => "json_lines",
            Self::Log => "log",
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Columns => "columns",
            Self::Hits => "hits",
            Self::Listing => "listing",
            Self::Code => "code",
            Self::Diff => "diff",
            Self::Html => "html",
            Self::Keyed => "keyed",
            Self::Opaque => "opaque",
        }
    }
}
