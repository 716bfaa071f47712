//! What changes in a file, as `patch` reads it.

use similar::TextDiff;

/// The unified diff between two texts of the file `name`; nothing if they are the same.
#[must_use]
pub fn diff(name: &str, old: &str, new: &str) -> String {
    let lines = TextDiff::from_lines(old, new);
    let mut unified = lines.unified_diff();
    let (before, after) = (format!("old/{name}"), format!("new/{name}"));
    unified.header(&before, &after).to_string()
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn both_sides_have_a_name_and_a_missing_line_end_is_told() {
        let expected = "--- old/a.hcl\n+++ new/a.hcl\n@@ -1 +1 @@\n-a=1\n+a = 1\n\\ No newline at end of file\n";
        assert_eq!(diff("a.hcl", "a=1\n", "a = 1"), expected);
        assert_eq!(diff("a.hcl", "a = 1\n", "a = 1\n"), "");
    }
}
