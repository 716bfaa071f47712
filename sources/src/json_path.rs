//! Places in JSON: names and numbers with dots or slashes between them, and `*` for all elements.

use serde_json::Value;

/// A path such as `data.points.*.value` or `/data/points/*/1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPath {
    text: String,
    steps: Vec<String>,
}

impl JsonPath {
    /// A text that begins with a slash is a JSON pointer (RFC 6901), in which `*` stands for all
    /// elements; in others dots separate the names. An empty one is the whole document.
    pub(crate) fn parse(text: &str) -> Self {
        let steps = match text.strip_prefix('/') {
            Some(pointer) => {
                let parts = pointer.split('/');
                let parts = parts.map(|part| part.replace("~1", "/").replace("~0", "~"));
                parts.collect()
            }
            None if text.is_empty() => Vec::new(),
            None => text.split('.').map(str::to_owned).collect(),
        };
        Self {
            text: text.to_owned(),
            steps,
        }
    }

    /// The path as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Everything there, in the order of the document. What is missing below a `*` is `None`, so
    /// that two paths through the same list give as many.
    ///
    /// # Errors
    /// The part of the path that leads nowhere.
    pub(crate) fn all<'v>(&self, document: &'v Value) -> Result<Vec<Option<&'v Value>>, String> {
        let star = self.steps.iter().position(|step| step == "*");
        let (head, tail) = self.steps.split_at(star.unwrap_or(self.steps.len()));
        let mut here = document;
        for (depth, step) in head.iter().enumerate() {
            here = child(here, step).ok_or_else(|| head[..=depth].join("."))?;
        }
        let Some((_, below)) = tail.split_first() else {
            return Ok(vec![Some(here)]);
        };
        let Value::Array(elements) = here else {
            return Err(head.join("."));
        };
        let mut found = Vec::with_capacity(elements.len());
        for element in elements {
            spread(element, below, &mut found);
        }
        Ok(found)
    }

    /// What is there, if anything but null is.
    pub(crate) fn one<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        let found = self.all(document).ok()?;
        found.into_iter().next()?.filter(|value| !value.is_null())
    }
}

fn child<'v>(value: &'v Value, step: &str) -> Option<&'v Value> {
    match value {
        Value::Array(elements) => elements.get(step.parse::<usize>().ok()?),
        value => value.get(step),
    }
}

fn spread<'v>(value: &'v Value, steps: &[String], found: &mut Vec<Option<&'v Value>>) {
    match (steps.split_first(), value) {
        (None, value) => found.push(Some(value)),
        (Some((star, below)), Value::Array(elements)) if star == "*" => {
            for element in elements {
                spread(element, below, found);
            }
        }
        (Some((step, below)), value) => match child(value, step) {
            Some(value) => spread(value, below, found),
            None => found.push(None),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::JsonPath;

    #[test]
    fn paths_lead_where_they_say() {
        let document =
            json!({"a.b": {"c": [{"t": 1, "v": 2}, {"t": 3}]}, "d": [[5, 6], [7, null]]});
        let all = |path: &str| {
            JsonPath::parse(path).all(&document).map(|found| {
                let values = found.into_iter().map(|v| v.map(ToString::to_string));
                values.collect::<Vec<_>>()
            })
        };
        let some = |texts: &[&str]| Ok(texts.iter().map(|t| Some((*t).to_owned())).collect());
        assert_eq!(all("/a.b/c/*/t"), some(&["1", "3"]));
        assert_eq!(all("/a.b/c/*/v"), Ok(vec![Some("2".to_owned()), None]));
        assert_eq!(all("d.*.1"), some(&["6", "null"]));
        assert_eq!(all("d.*.*"), some(&["5", "6", "7", "null"]));
        assert_eq!(all("d.0.1"), some(&["6"]));
        assert_eq!(all("d.9"), Err("d.9".to_owned()));
        assert_eq!(all("d.0.x.y"), Err("d.0.x".to_owned()));
        assert_eq!(JsonPath::parse("d.1.1").one(&document), None);
    }
}
