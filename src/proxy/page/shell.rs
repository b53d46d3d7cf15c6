//! The page's own text: one document with its style and its script, which a browser may take from nowhere else. Their
//! hashes are in the policy, so nothing that finds its way into the document can run.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Response};
use sha2::{Digest as _, Sha256};

use super::Answer;

/// The document as every viewer gets it.
pub(super) fn response() -> Response<Answer> {
    let mut response = Response::new(Answer::own(DOCUMENT.as_str()));
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert("content-security-policy", policy);
    }
    response
}

static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| HTML.replace("/* style */", STYLE).replace("/* script */", SCRIPT));

/// Nothing but this style and this script, no text that becomes markup, and connections to the proxy alone.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_one_style_one_script_and_nothing_from_elsewhere() {
        for (opening, text, closing) in [("<style>", STYLE, "</style>"), ("<script>", SCRIPT, "</script>")] {
            assert!(DOCUMENT.contains(&format!("{opening}{text}{closing}")), "{opening}");
            assert_eq!(DOCUMENT.matches(opening).count(), 1);
        }
        let document = DOCUMENT.replace("http://www.w3.org/2000/svg", "");
        for banned in
            ["http://", "https://", "src=\"", "innerHTML", "outerHTML", "insertAdjacent", "eval(", "document.write"]
        {
            assert!(!document.contains(banned), "{banned}");
        }
        for banned in [" style=", " onclick=", " onload=", " onerror="] {
            assert!(!HTML.contains(banned), "{banned}");
        }
    }
}
