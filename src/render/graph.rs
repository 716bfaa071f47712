//! A graph in the DOT language of Graphviz.

use std::fmt::Write;

use crate::graph::Dag;

/// A digraph with an edge from every node to those that it waits for.
#[must_use]
pub fn dot<N: Ord + std::hash::Hash>(dag: &Dag<N>, label: impl Fn(&N) -> String) -> String {
    let mut text = "digraph isobar {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n".to_owned();
    let quoted = |node: &N| {
        let name = label(node).replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{name}\"")
    };
    for node in dag.nodes() {
        let _ = writeln!(text, "  {};", quoted(node));
    }
    for node in dag.nodes() {
        for dependency in dag.dependencies(node) {
            let _ = writeln!(text, "  {} -> {};", quoted(node), quoted(dependency));
        }
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::dot;
    use crate::graph::Dag;
    use crate::language::module::Path;
    use crate::plan::{Name, Node};

    #[test]
    fn edges_lead_to_what_is_needed() {
        let mut dag = Dag::default();
        let root = Path::default();
        let zone = Name::Block("zone".into(), "east".into()).within(&root);
        dag.depend(Name::Output("url".into()).within(&root), zone.clone());
        dag.depend(zone, Name::Variable("region".into()).within(&root));
        insta::assert_snapshot!(dot(&dag, Node::to_string), @r#"
        digraph isobar {
          rankdir = "RL";
          node [shape = rect, fontname = "sans-serif"];
          "var.region";
          "zone.east";
          "output.url";
          "zone.east" -> "var.region";
          "output.url" -> "zone.east";
        }
        "#);
    }
}
