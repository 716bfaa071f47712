//! A directed acyclic graph: order, cycles, and who is ready. No domain words.

use std::collections::BTreeSet;
use std::hash::Hash;
use std::sync::OnceLock;

use indexmap::IndexSet;
use petgraph::Direction;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxBuildHasher;

/// Nodes and what they depend on. Ties in the order are broken by the order of the nodes.
#[derive(Debug, Clone)]
pub struct Dag<N> {
    /// The nodes as they came; the place of each is its index in the graph.
    nodes: IndexSet<N, FxBuildHasher>,
    graph: DiGraph<(), (), usize>,
    /// The edges, to add each once: asking the graph would look through all edges of a node.
    edges: IndexSet<(Index, Index), FxBuildHasher>,
    /// The nodes in their own order, once someone has asked for it.
    sorted: OnceLock<Vec<Index>>,
}

type Index = NodeIndex<usize>;

impl<N> Default for Dag<N> {
    fn default() -> Self {
        Self {
            nodes: IndexSet::default(),
            graph: DiGraph::default(),
            edges: IndexSet::default(),
            sorted: OnceLock::new(),
        }
    }
}

impl<N: Ord + Hash> Dag<N> {
    /// Adds a node, unless it is there.
    pub fn add(&mut self, node: N) {
        self.node(node);
    }

    fn node(&mut self, node: N) -> Index {
        let (place, is_new) = self.nodes.insert_full(node);
        if is_new {
            self.graph.add_node(());
            self.sorted.take();
        }
        Index::new(place)
    }

    /// Says that `dependent` comes after `dependency`; adds both if need be.
    pub fn depend(&mut self, dependent: N, dependency: N) {
        let (from, to) = (self.node(dependency), self.node(dependent));
        if self.edges.insert((from, to)) {
            self.graph.add_edge(from, to, ());
        }
    }

    /// Whether a node is there.
    #[must_use]
    pub fn has(&self, node: &N) -> bool {
        self.nodes.contains(node)
    }

    fn at(&self, index: Index) -> &N {
        &self.nodes[index.index()]
    }

    fn index(&self, node: &N) -> Option<Index> {
        self.nodes.get_index_of(node).map(Index::new)
    }

    fn sorted(&self) -> &[Index] {
        self.sorted.get_or_init(|| {
            let mut sorted: Vec<Index> = self.graph.node_indices().collect();
            sorted.sort_unstable_by(|a, b| self.at(*a).cmp(self.at(*b)));
            sorted
        })
    }

    /// The graph of some of the nodes; what leads from one to another through the rest leads
    /// there directly.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&N) -> bool) -> Self
    where
        N: Clone,
    {
        let mut dag = Self::default();
        for node in self.nodes().filter(|node| wanted(node)) {
            dag.add(node.clone());
            let mut seen = BTreeSet::new();
            let mut open = self.dependencies(node);
            while let Some(next) = open.pop() {
                if !seen.insert(next) {
                    continue;
                }
                if wanted(next) {
                    dag.depend(node.clone(), next.clone());
                } else {
                    open.extend(self.dependencies(next));
                }
            }
        }
        dag
    }

    /// All nodes, in their own order.
    pub fn nodes(&self) -> impl Iterator<Item = &N> {
        self.sorted().iter().map(|index| self.at(*index))
    }

    /// What `node` depends on directly, in node order.
    #[must_use]
    pub fn dependencies(&self, node: &N) -> Vec<&N> {
        self.neighbours(node, Direction::Incoming)
    }

    /// What depends on `node` directly, in node order.
    #[must_use]
    pub fn dependents(&self, node: &N) -> Vec<&N> {
        self.neighbours(node, Direction::Outgoing)
    }

    fn neighbours(&self, node: &N, direction: Direction) -> Vec<&N> {
        let Some(index) = self.index(node) else {
            return Vec::new();
        };
        let neighbours = self.graph.neighbors_directed(index, direction);
        let mut found: Vec<&N> = neighbours.map(|index| self.at(index)).collect();
        found.sort_unstable();
        found
    }

    fn degree(&self, index: Index, direction: Direction) -> usize {
        self.graph.neighbors_directed(index, direction).count()
    }

    /// All edges as (dependent, dependency), in node order.
    #[must_use]
    pub fn edges(&self) -> Vec<(&N, &N)> {
        let ends = |(from, to): &(Index, Index)| (self.at(*to), self.at(*from));
        let mut edges: Vec<(&N, &N)> = self.edges.iter().map(ends).collect();
        edges.sort();
        edges
    }

    /// All nodes, each behind what it depends on; among those that could come next, the
    /// smallest first.
    ///
    /// # Errors
    /// The nodes of each cycle, each cycle beginning with its smallest node and following the
    /// dependencies.
    pub fn order(&self) -> Result<Vec<&N>, Vec<Vec<&N>>> {
        let mut walk = Walk::new(self);
        let mut ordered = Vec::with_capacity(self.nodes.len());
        while let Some(node) = walk.next_ready() {
            ordered.push(node);
            walk.finish(node);
        }
        if ordered.len() == self.nodes.len() {
            Ok(ordered)
        } else {
            Err(self.cycles())
        }
    }

    /// All nodes in waves, each as early as what it depends on allows; each wave in node order.
    /// What is in a cycle, or behind one, is in none.
    #[must_use]
    pub fn waves(&self) -> Vec<Vec<&N>> {
        self.waves_with_last(|_| false)
    }

    /// The same, where nodes that are `last` wait until no other one can come before them.
    #[must_use]
    pub fn waves_with_last(&self, last: impl Fn(&&N) -> bool) -> Vec<Vec<&N>> {
        let mut walk = Walk::new(self);
        let mut waves = Vec::new();
        let mut held: Vec<&N> = Vec::new();
        loop {
            let ready = std::iter::from_fn(|| walk.next_ready());
            let (waits, mut wave): (Vec<&N>, Vec<&N>) = ready.partition(&last);
            held.extend(waits);
            if wave.is_empty() {
                wave = std::mem::take(&mut held);
                wave.sort_unstable();
            }
            if wave.is_empty() {
                return waves;
            }
            for node in &wave {
                walk.finish(node);
            }
            waves.push(wave);
        }
    }

    fn cycles(&self) -> Vec<Vec<&N>> {
        let mut cycles: Vec<Vec<&N>> = tarjan_scc(&self.graph)
            .into_iter()
            .filter(|component| {
                component.len() > 1
                    || component
                        .first()
                        .is_some_and(|i| self.graph.contains_edge(*i, *i))
            })
            .map(|component| self.cycle(&component))
            .collect();
        cycles.sort();
        cycles
    }

    /// One cycle within a strongly connected component.
    fn cycle(&self, component: &[Index]) -> Vec<&N> {
        let inside: BTreeSet<&N> = component.iter().map(|index| self.at(*index)).collect();
        let mut path: Vec<&N> = inside.first().copied().into_iter().collect();
        while let Some(next) = path.last().and_then(|last| {
            self.dependencies(last)
                .into_iter()
                .find(|node| inside.contains(node))
        }) {
            if let Some(position) = path.iter().position(|node| *node == next) {
                let mut cycle = path.split_off(position);
                let smallest = cycle.iter().enumerate().min_by_key(|(_, node)| **node);
                let smallest = smallest.map_or(0, |(position, _)| position);
                cycle.rotate_left(smallest);
                return cycle;
            }
            path.push(next);
        }
        path
    }
}

/// A walk in which nodes become ready when all that they depend on is finished.
///
/// It compares the places of nodes among all, which is quicker than to compare their names.
#[derive(Debug, Clone)]
pub struct Walk<'a, N> {
    dag: &'a Dag<N>,
    /// The place of each node among all in their own order, by its index.
    places: Vec<usize>,
    /// How many of what each node depends on are not finished, by its index; `None` for what is
    /// ready or done.
    waiting_for: Vec<Option<usize>>,
    ready: BTreeSet<usize>,
}

impl<'a, N: Ord + Hash> Walk<'a, N> {
    /// A walk at its beginning.
    #[must_use]
    pub fn new(dag: &'a Dag<N>) -> Self {
        let mut places = vec![0; dag.nodes.len()];
        let mut waiting_for = vec![None; dag.nodes.len()];
        let mut ready = BTreeSet::new();
        for (place, index) in dag.sorted().iter().enumerate() {
            places[index.index()] = place;
            match dag.degree(*index, Direction::Incoming) {
                0 => {
                    ready.insert(place);
                }
                count => waiting_for[index.index()] = Some(count),
            }
        }
        Self {
            dag,
            places,
            waiting_for,
            ready,
        }
    }

    /// Takes the smallest node that is ready.
    pub fn next_ready(&mut self) -> Option<&'a N> {
        let place = self.ready.pop_first()?;
        Some(self.at(place))
    }

    fn at(&self, place: usize) -> &'a N {
        self.dag.at(self.dag.sorted()[place])
    }

    /// Says that a node is finished.
    pub fn finish(&mut self, node: &N) {
        let Some(index) = self.dag.index(node) else {
            return;
        };
        let graph = &self.dag.graph;
        for dependent in graph.neighbors_directed(index, Direction::Outgoing) {
            let waiting_for = &mut self.waiting_for[dependent.index()];
            *waiting_for = match *waiting_for {
                Some(1) => {
                    self.ready.insert(self.places[dependent.index()]);
                    None
                }
                other => other.map(|count| count - 1),
            };
        }
    }

    /// Takes out everything that depends on `node`, directly or not, in node order.
    pub fn skip_dependents(&mut self, node: &N) -> Vec<&'a N> {
        let mut skipped = BTreeSet::new();
        let mut open: Vec<Index> = self.dag.index(node).into_iter().collect();
        while let Some(index) = open.pop() {
            let graph = &self.dag.graph;
            for dependent in graph.neighbors_directed(index, Direction::Outgoing) {
                if self.waiting_for[dependent.index()].take().is_some() {
                    skipped.insert(self.places[dependent.index()]);
                    open.push(dependent);
                }
            }
        }
        skipped.into_iter().map(|place| self.at(place)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Dag, Walk};

    fn dag(edges: &[(&'static str, &'static str)]) -> Dag<&'static str> {
        let mut dag = Dag::default();
        for (dependent, dependency) in edges {
            dag.depend(*dependent, *dependency);
        }
        dag
    }

    #[test]
    fn dependencies_come_first_and_ties_go_by_name() {
        let dag = dag(&[("a", "z"), ("b", "z"), ("c", "a"), ("c", "b")]);
        assert_eq!(dag.order().unwrap(), [&"z", &"a", &"b", &"c"]);
    }

    #[test]
    fn waves_hold_what_does_not_rest_on_one_another() {
        let dag = dag(&[
            ("a", "z"),
            ("b", "y"),
            ("c", "a"),
            ("c", "y"),
            ("d", "e"),
            ("e", "d"),
        ]);
        let waves: [&[&&str]; 3] = [&[&"y", &"z"], &[&"a", &"b"], &[&"c"]];
        assert_eq!(dag.waves(), waves);
        let waves: [&[&&str]; 4] = [&[&"z"], &[&"a"], &[&"y"], &[&"b", &"c"]];
        assert_eq!(dag.waves_with_last(|node| **node == "y"), waves);
    }

    #[test]
    fn a_cycle_is_shown_whole() {
        let dag = dag(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("e", "e")]);
        assert_eq!(
            dag.order().unwrap_err(),
            [vec![&"a", &"b", &"c"], vec![&"e"]]
        );
    }

    #[test]
    fn what_depends_on_a_failure_is_skipped() {
        let dag = dag(&[("b", "a"), ("c", "b"), ("d", "x")]);
        let mut walk = Walk::new(&dag);
        assert_eq!(walk.next_ready(), Some(&"a"));
        assert_eq!(walk.skip_dependents(&"a"), [&"b", &"c"]);
        assert_eq!(walk.next_ready(), Some(&"x"));
        walk.finish(&"x");
        assert_eq!(walk.next_ready(), Some(&"d"));
        assert_eq!(walk.next_ready(), None);
    }
}
