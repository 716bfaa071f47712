//! How much one expression may do and make, so that a short text cannot ask for all time and memory.

use isobar_sdk::Value;

/// The most parts of a value: elements at every depth, and sixteen bytes of text as one more.
/// What several places share counts at each of them.
pub(super) const MOST_PARTS: usize = 1 << 22;
/// The longest text, in bytes: that of a value with nothing else.
pub(super) const LONGEST: usize = MOST_PARTS * 16;
/// The deepest nesting of a value.
const DEEPEST: usize = 512;
/// How many parts of values one expression may look at.
const MOST_LOOKS: usize = 1 << 30;
/// What a turn of a loop costs beside what it looks at.
pub(super) const TURN: usize = 256;

/// Refuses what is too large.
///
/// # Errors
/// What is too much about it.
pub(super) fn check(value: &Value) -> Result<(), String> {
    let extent = value.extent();
    parts(extent.parts)?;
    if extent.depth > DEEPEST {
        return Err(format!("The value is nested deeper than {DEEPEST} levels."));
    }
    Ok(())
}

/// Refuses a number of parts that is too large.
///
/// # Errors
/// How many there may be.
pub(super) fn parts(parts: usize) -> Result<(), String> {
    if parts > MOST_PARTS {
        return Err(format!(
            "The value has more than {MOST_PARTS} parts, counting each sixteen bytes of text as one."
        ));
    }
    Ok(())
}

/// Refuses a text that is too long before it is made.
///
/// # Errors
/// How long it may be.
pub(super) fn text(length: usize) -> Result<(), String> {
    if length > LONGEST {
        return Err(format!(
            "the text would be longer than {} MiB",
            LONGEST >> 20
        ));
    }
    Ok(())
}

/// What an expression may still look at.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MOST_LOOKS)
    }
}

impl Budget {
    /// Takes the cost of a step.
    ///
    /// # Errors
    /// There is not enough left.
    pub(super) fn spend(&mut self, cost: usize) -> Result<(), String> {
        self.0 = self
            .0
            .checked_sub(cost)
            .ok_or("The expression takes too many steps: its loops run over too much.")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use isobar_sdk::Value;

    use super::{Budget, DEEPEST, MOST_LOOKS, check};
    use crate::eval::{Ambient, Facts, Scope, evaluate};
    use crate::language::{Config, parse_expression};

    /// Short texts that ask for too much, and what is said about them.
    const GREEDY: [(&str, &str); 15] = [
        (
            "[for a in range(1024) : [for b in range(1024) : [for c in range(1024) : 1]]]",
            "steps",
        ),
        (
            "\"%{for a in range(1024)}%{for b in range(1024)}%{for c in range(1024)}x%{endfor}%{endfor}%{endfor}\"",
            "steps",
        ),
        ("format(\"%999999999d\", 1)", "greater than"),
        (
            "formatlist(\"%1000000d\", range(1024))",
            "longer than 64 MiB",
        ),
        (
            "indent(1000000, join(\"\\n\", range(1024)))",
            "longer than 64 MiB",
        ),
        (
            "join(format(\"%100000d\", 1), range(1024))",
            "longer than 64 MiB",
        ),
        (
            "replace(join(\"\", range(1024)), \"1\", format(\"%1000000d\", 1))",
            "longer than 64 MiB",
        ),
        (
            "replace(join(\"\", range(1024)), \"/1/\", format(\"%1000000d\", 1))",
            "longer than 64 MiB",
        ),
        ("setproduct(range(1024), range(1024), range(1024))", "parts"),
        ("range(0, 1024, 1e-300)", "1024 values"),
        ("pow(10, 1e9)", "finite"),
        ("tonumber(\"1e99999999999999\")", "not one"),
        ("regex(\"((a{100}){100}){100}\", \"a\")", "too large"),
        ("bcrypt(\"x\", 31)", "cost"),
        (
            "jsondecode(join(\"\", [for i in range(1000) : \"[\"]))",
            "recursion",
        ),
    ];

    #[test]
    fn what_asks_for_too_much_is_refused() {
        let config = Config::default();
        let scope = Scope::new(&config, Facts::default(), BTreeMap::new());
        for (text, reason) in GREEDY {
            let located = parse_expression(&"greedy".into(), text).unwrap();
            let fault = evaluate(&located, &scope, &Ambient::None).unwrap_err();
            assert!(fault.detail.contains(reason), "{text}: {}", fault.detail);
        }
    }

    #[test]
    fn what_is_shared_counts_everywhere() {
        let mut value = Value::from("x");
        for _ in 0..6 {
            value = Value::tuple(vec![value; 10]);
        }
        assert!(check(&value).is_ok());
        assert!(check(&Value::tuple(vec![value; 10])).is_err());
    }

    #[test]
    fn depth_and_steps_end() {
        let mut value = Value::NULL;
        for _ in 0..DEEPEST {
            value = Value::tuple(vec![value]);
        }
        assert!(check(&value).is_ok());
        assert!(check(&Value::tuple(vec![value])).is_err());
        let mut budget = Budget::default();
        assert!(budget.spend(MOST_LOOKS).is_ok() && budget.spend(1).is_err());
    }
}
