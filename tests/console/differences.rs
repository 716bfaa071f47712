//! The list of known differences in `docs/terraform-differences.md`.

use std::collections::BTreeMap;
use std::path::Path;

/// Expressions with what Isobar gives: from lines such as ``- `1 + 1`: here `3`. Reason.``
pub(crate) fn read() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/terraform-differences.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let Some(entry) = line.strip_prefix("- `") else {
            continue;
        };
        let Some((expression, rest)) = entry.split_once("`: here `") else {
            continue;
        };
        let (result, reason) = rest.split_once("`. ").unwrap();
        assert!(reason.len() > 10, "{expression} is listed without a reason");
        found.insert(expression.to_owned(), result.to_owned());
    }
    found
}
