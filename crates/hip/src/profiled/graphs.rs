//! What graphs are called, by what is in them.

use fnv::FnvHashMap;
use profile::Name;

use crate::{GraphExecHandle, GraphHandle};

#[derive(Default)]
pub(super) struct Graphs {
    graphs: FnvHashMap<GraphHandle, Contents>,
    execs: FnvHashMap<GraphExecHandle, (Name, u32)>,
}

/// The nodes of a graph that do something.
#[derive(Default)]
struct Contents {
    count: u32,
    /// What all of them are called, if they are called alike.
    name: Option<String>,
    is_mixed: bool,
}

impl Graphs {
    pub(super) fn create(&mut self, graph: GraphHandle) {
        self.graphs.insert(graph, Contents::default());
    }

    pub(super) fn destroy(&mut self, graph: GraphHandle) {
        self.graphs.remove(&graph);
    }

    /// A node that is called `name`.
    pub(super) fn add(&mut self, graph: GraphHandle, name: &str) {
        let Some(contents) = self.graphs.get_mut(&graph) else {
            return;
        };
        contents.count += 1;
        let known = contents.name.get_or_insert_with(|| name.to_owned());
        contents.is_mixed |= known != name;
    }

    pub(super) fn instantiate(&mut self, graph: GraphHandle, exec: GraphExecHandle) {
        if let Some(contents) = self.graphs.get(&graph) {
            let name = match &contents.name {
                Some(name) if !contents.is_mixed => {
                    format!("graph: {} × {name}", contents.count)
                }
                _ => format!("graph of {} nodes", contents.count),
            };
            self.execs.insert(exec, (name.into(), contents.count));
        }
    }

    pub(super) fn destroy_exec(&mut self, exec: GraphExecHandle) {
        self.execs.remove(&exec);
    }

    /// What to call a launch, and how many nodes it has.
    pub(super) fn launched(&self, exec: GraphExecHandle) -> (Name, u32) {
        let known = self.execs.get(&exec).cloned();
        known.unwrap_or((Name::Static("graph"), 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphs_are_called_by_what_is_in_them() {
        let (graph, exec) = (GraphHandle(1), GraphExecHandle(2));
        let mut graphs = Graphs::default();
        let mut name = |kernels: &[&str]| {
            graphs.create(graph);
            for kernel in kernels {
                graphs.add(graph, kernel);
            }
            graphs.instantiate(graph, exec);
            let (name, count) = graphs.launched(exec);
            assert_eq!(count as usize, kernels.len());
            name.to_string()
        };
        assert_eq!(name(&["a", "a", "a"]), "graph: 3 × a");
        assert_eq!(name(&["a", "fill"]), "graph of 2 nodes");
        assert_eq!(name(&[]), "graph of 0 nodes");
        graphs.destroy_exec(exec);
        assert_eq!(graphs.launched(exec).1, 0);
    }
}
