//! Which modules need which providers, as a tree.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::plan::Needs;

/// The tree of a configuration and the providers of a state, with a newline at the end.
#[must_use]
pub fn providers(needs: &Needs, recorded: &BTreeSet<String>) -> String {
    let mut text = "Providers of the configuration:\n.\n".to_owned();
    branch(&mut text, "", needs);
    if !recorded.is_empty() {
        text.push_str("\nProviders of the state:\n");
        for name in recorded {
            let _ = writeln!(text, "  provider {name}");
        }
    }
    text
}

fn branch(text: &mut String, indent: &str, needs: &Needs) {
    let count = needs.providers.len() + needs.modules.len();
    let twig = |position: usize| match position + 1 == count {
        true => ("└── ", "    "),
        false => ("├── ", "│   "),
    };
    for (position, name) in needs.providers.iter().enumerate() {
        let _ = writeln!(text, "{indent}{}provider {name}", twig(position).0);
    }
    for (position, module) in needs.modules.iter().enumerate() {
        let (edge, below) = twig(needs.providers.len() + position);
        let _ = writeln!(text, "{indent}{edge}module.{}", module.name);
        branch(text, &format!("{indent}{below}"), module);
    }
}

#[cfg(test)]
mod tests {
    use super::providers;
    use crate::plan::Needs;

    #[test]
    fn modules_stand_below_those_that_call_them() {
        let module = |name: &str, modules: Vec<Needs>| Needs {
            name: name.to_owned(),
            providers: ["sim".to_owned()].into(),
            modules,
        };
        let needs = Needs {
            name: String::new(),
            providers: ["isobar".to_owned(), "sim".to_owned()].into(),
            modules: vec![
                module("a", vec![module("b", Vec::new())]),
                module("c", Vec::new()),
            ],
        };
        insta::assert_snapshot!(providers(&needs, &["isobar".to_owned()].into()), @r"
        Providers of the configuration:
        .
        ├── provider isobar
        ├── provider sim
        ├── module.a
        │   ├── provider sim
        │   └── module.b
        │       └── provider sim
        └── module.c
            └── provider sim

        Providers of the state:
          provider isobar
        ");
    }
}
