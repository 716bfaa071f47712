//! The graph of names in the DOT language of Graphviz.

use std::fmt::Write;

use crate::plan::{Names, Node};

/// A digraph with an edge from every name to those that it refers to.
#[must_use]
pub fn dot(names: &Names) -> String {
    let mut text = "digraph isobar {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n".to_owned();
    for node in names.dag.nodes() {
        let _ = writeln!(text, "  {};", quoted(node));
    }
    for node in names.dag.nodes() {
        for dependency in names.dag.dependencies(node) {
            let _ = writeln!(text, "  {} -> {};", quoted(node), quoted(dependency));
        }
    }
    text.push_str("}\n");
    text
}

fn quoted(node: &Node) -> String {
    let name = node.to_string().replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{name}\"")
}

#[cfg(test)]
mod tests {
    use super::dot;
    use crate::graph::Dag;
    use crate::language::module::Path;
    use crate::plan::{Name, Names};

    #[test]
    fn edges_lead_to_what_is_needed() {
        let mut dag = Dag::default();
        let root = Path::default();
        let zone = Name::Block("zone".into(), "east".into()).within(&root);
        dag.depend(Name::Output("url".into()).within(&root), zone.clone());
        dag.depend(zone, Name::Variable("region".into()).within(&root));
        insta::assert_snapshot!(dot(&Names { dag }), @r#"
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
