//! What a stretch of ops computes, as values: which loads it makes, what their
//! addresses need, and what has to be in which row at its end.

use std::collections::{HashMap, HashSet};

/// A function of lanes that there is native code for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::program) enum Function {
    Move,
    AddF32,
    SubF32,
    SubrevF32,
    MulF32,
    FmaF32,
    AddU32,
    SubU32,
    SubrevU32,
    Add3U32,
    MulLoU32,
    And,
    Or,
    Xor,
    Or3,
    AndOr,
    LshlRev,
    LshrRev,
    AshrRev,
    LshlAdd,
    LshlOr,
    MinU32,
    MaxU32,
    MinI32,
    MaxI32,
}

impl Function {
    /// Is the second source of its instruction a number of bits?
    pub(in crate::program) fn counts(self) -> bool {
        use Function::*;
        matches!(self, LshlRev | LshrRev | AshrRev | LshlAdd | LshlOr)
    }

    /// How many sources it has.
    pub(in crate::program) fn arity(self) -> usize {
        use Function::*;
        match self {
            Move => 1,
            FmaF32 | Add3U32 | Or3 | AndOr | LshlAdd | LshlOr => 3,
            _ => 2,
        }
    }
}

/// An op as native code sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::program) enum Step {
    /// Row `d` = the function of rows.
    Lane {
        function: Function,
        d: u16,
        sources: [u16; 3],
    },
    /// Row `d` = a scalar slot in every lane.
    Splat { d: u16, slot: u16 },
    /// A buffer load of dwords at row `address` plus scalar slot `offset` plus
    /// a constant into rows from `d`.
    Load {
        d: u16,
        dwords: u16,
        address: u16,
        resource: u16,
        offset: u16,
        constant: u32,
        aux: u32,
    },
    /// Nothing but a chance for other waves.
    Wait,
    /// The other half of a wave of 64.
    Switch,
}

impl Step {
    /// Rows it reads.
    fn reads(&self) -> &[u16] {
        match self {
            Step::Lane {
                function, sources, ..
            } => &sources[..function.arity()],
            Step::Load { address, .. } => std::slice::from_ref(address),
            Step::Splat { .. } | Step::Wait | Step::Switch => &[],
        }
    }

    /// Scalar slots it reads.
    pub(in crate::program) fn slots(&self) -> [std::ops::Range<u16>; 2] {
        match *self {
            Step::Splat { slot, .. } => [slot..slot + 1, 0..0],
            Step::Load {
                resource, offset, ..
            } => [resource..resource + 4, offset..offset + 1],
            Step::Lane { .. } | Step::Wait | Step::Switch => [0..0, 0..0],
        }
    }

    /// Rows it writes.
    fn writes(&self) -> std::ops::Range<u16> {
        match *self {
            Step::Lane { d, .. } | Step::Splat { d, .. } => d..d + 1,
            Step::Load { d, dwords, .. } => d..d + dwords,
            Step::Wait | Step::Switch => 0..0,
        }
    }
}

/// Steps and loads of a window at the most.
const MOST_STEPS: usize = 2000;
const MOST_LOADS: usize = 300;
/// Constants in addresses from which on they are left there.
const MOST_ADDED: u32 = 1 << 24;
/// Computing steps and loads below which native code is not worth its call.
const LEAST_STEPS: usize = 8;

/// Cuts steps that follow each other into windows: ranges of steps in which no
/// address depends on a load. Short ones are left out.
pub(in crate::program) fn windows(steps: &[Step]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut loads = 0;
    let mut upper = false;
    // Which rows hold what a load of the window gave, or something made of it.
    let rows = steps.iter().flat_map(|step| {
        let read = step.reads().iter().copied();
        read.chain(step.writes())
    });
    let mut loaded = vec![false; rows.max().map_or(0, |row| usize::from(row) + 1)];
    let depends_on = |loaded: &[bool], step: &Step| {
        let mut rows = step.reads().iter();
        rows.any(|&row| loaded[usize::from(row)])
    };
    for (index, step) in steps.iter().enumerate() {
        let depends = depends_on(&loaded, step);
        let is_load = matches!(step, Step::Load { .. });
        let full = loads >= MOST_LOADS && is_load || index - start >= MOST_STEPS;
        // A window begins and ends in the lower half.
        if (full || depends && is_load) && !upper {
            found.push(start..index);
            (start, loads) = (index, 0);
            loaded.fill(false);
        } else if depends && is_load {
            // Cannot be part of any window: begin behind it.
            found.push(start..index - 1);
            (start, loads) = (index + 1, 0);
            loaded.fill(false);
        }
        let depends = depends_on(&loaded, step);
        loads += usize::from(is_load);
        for row in step.writes() {
            loaded[usize::from(row)] = is_load || depends;
        }
        upper ^= matches!(step, Step::Switch);
    }
    found.push(start..steps.len());
    found.retain(|window| {
        let steps = &steps[window.clone()];
        let works = steps
            .iter()
            .filter(|step| !matches!(step, Step::Wait | Step::Switch));
        let switches = steps.iter().filter(|step| matches!(step, Step::Switch));
        works.count() >= LEAST_STEPS && switches.count() % 2 == 0
    });
    found
}

/// Index of a value.
pub(in crate::program) type Value = usize;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::program) enum Origin {
    /// What a row holds when the window begins.
    Row(u16),
    /// A scalar slot in every lane.
    Splat(u16),
    /// Computed by a node.
    Node,
    /// A dword of a load.
    Loaded { load: usize, dword: u16 },
}

/// A function of values.
#[derive(Clone, Copy, Debug)]
pub(in crate::program) struct Node {
    pub(in crate::program) function: Function,
    pub(in crate::program) sources: [Value; 3],
    pub(in crate::program) result: Value,
}

/// Where a window loads: any number of constants behind one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::program) struct Source {
    pub(in crate::program) address: Value,
    pub(in crate::program) resource: u16,
    pub(in crate::program) offset: u16,
    /// How the resource is read, as in the ops.
    pub(in crate::program) aux: u32,
}

/// A load of a window.
#[derive(Clone, Copy, Debug)]
pub(in crate::program) struct Load {
    /// Which of the sources it reads.
    pub(in crate::program) source: usize,
    pub(in crate::program) dwords: u16,
    pub(in crate::program) constant: u32,
}

/// What a window computes.
#[derive(Debug, Default)]
pub(in crate::program) struct Plan {
    pub(in crate::program) values: Vec<Origin>,
    /// What addresses are made of, in order; nothing of it depends on loads.
    pub(in crate::program) early: Vec<Node>,
    pub(in crate::program) sources: Vec<Source>,
    pub(in crate::program) loads: Vec<Load>,
    /// The rest, in order.
    pub(in crate::program) main: Vec<Node>,
    /// Rows that have another value at the end, if anything can see it.
    pub(in crate::program) finals: Vec<(u16, Value)>,
}

impl Plan {
    /// The plan of `steps`, which `rest` follow; some rows are `constant`.
    pub(in crate::program) fn new(
        steps: &[Step],
        rest: &[Step],
        constant: impl Fn(u16) -> Option<u32>,
    ) -> Plan {
        let mut plan = Plan::default();
        let mut rows: HashMap<u16, Value> = HashMap::new();
        let mut splats: HashMap<u16, Value> = HashMap::new();
        let mut nodes = Vec::new();
        let mut written: Vec<u16> = Vec::new();
        for step in steps {
            match *step {
                Step::Lane { function, d, .. } => {
                    let mut values = [0; 3];
                    for (value, &row) in values.iter_mut().zip(step.reads()) {
                        *value = plan.row(&mut rows, row);
                    }
                    let result = plan.value(Origin::Node);
                    nodes.push(Node {
                        function,
                        sources: values,
                        result,
                    });
                    rows.insert(d, result);
                    written.push(d);
                }
                Step::Splat { d, slot } => {
                    let value = *splats
                        .entry(slot)
                        .or_insert_with(|| plan.value(Origin::Splat(slot)));
                    rows.insert(d, value);
                    written.push(d);
                }
                Step::Load {
                    d,
                    dwords,
                    address,
                    resource,
                    offset,
                    constant: own,
                    aux,
                } => {
                    let load = plan.loads.len();
                    let address = plan.row(&mut rows, address);
                    let (address, added) = plan.taken_apart(address, &nodes, &constant);
                    let source = plan.source(Source {
                        address,
                        resource,
                        offset,
                        aux,
                    });
                    plan.loads.push(Load {
                        source,
                        dwords,
                        constant: own + added,
                    });
                    for dword in 0..dwords {
                        let value = plan.value(Origin::Loaded { load, dword });
                        rows.insert(d + dword, value);
                        written.push(d + dword);
                    }
                }
                Step::Wait | Step::Switch => {}
            }
        }
        let mut needed: HashSet<Value> = plan.sources.iter().map(|source| source.address).collect();
        let mut is_early = vec![false; nodes.len()];
        for (node, early) in nodes.iter().zip(&mut is_early).rev() {
            if needed.contains(&node.result) {
                *early = true;
                needed.extend(&node.sources[..node.function.arity()]);
            }
        }
        written.sort_unstable();
        written.dedup();
        let unseen = overwritten(rest);
        plan.finals = written
            .into_iter()
            .filter(|row| !unseen.contains(row))
            .map(|row| (row, rows[&row]))
            .collect();
        let mut used: HashSet<Value> = plan.finals.iter().map(|&(_, value)| value).collect();
        for (node, &early) in nodes.iter().zip(&is_early).rev() {
            if early {
                plan.early.push(*node);
            } else if used.contains(&node.result) {
                used.extend(&node.sources[..node.function.arity()]);
                plan.main.push(*node);
            }
        }
        plan.early.reverse();
        plan.main.reverse();
        plan
    }

    /// How many rows and scalar slots it touches, counted from the first.
    pub(in crate::program) fn extent(&self) -> (usize, usize) {
        let mut extent = (0, 0);
        let rows = self.finals.iter().map(|&(row, _)| Origin::Row(row));
        for origin in self.values.iter().copied().chain(rows) {
            match origin {
                Origin::Row(row) => extent.0 = extent.0.max(usize::from(row) + 1),
                Origin::Splat(slot) => extent.1 = extent.1.max(usize::from(slot) + 1),
                Origin::Node | Origin::Loaded { .. } => {}
            }
        }
        extent
    }

    /// A value as another one plus a constant: places that are a constant apart
    /// are looked at together. The sum must not wrap; where it does, the end of
    /// the loads is out of every range.
    fn taken_apart(
        &self,
        mut value: Value,
        nodes: &[Node],
        constant: impl Fn(u16) -> Option<u32>,
    ) -> (Value, u32) {
        let mut added = 0;
        let known = |value: Value| match self.values[value] {
            Origin::Row(row) => constant(row).filter(|&known| known < MOST_ADDED),
            _ => None,
        };
        // Nodes are in order: what one is made of comes before it.
        for node in nodes.iter().rev() {
            if node.result != value || node.function != Function::AddU32 {
                continue;
            }
            let [a, b, _] = node.sources;
            let (rest, more) = match (known(a), known(b)) {
                (Some(more), _) => (b, more),
                (_, Some(more)) => (a, more),
                _ => break,
            };
            (value, added) = (rest, added + more);
            if added >= MOST_ADDED {
                break;
            }
        }
        (value, added)
    }

    fn source(&mut self, source: Source) -> usize {
        let known = self.sources.iter().position(|known| *known == source);
        known.unwrap_or_else(|| {
            self.sources.push(source);
            self.sources.len() - 1
        })
    }

    fn value(&mut self, origin: Origin) -> Value {
        self.values.push(origin);
        self.values.len() - 1
    }

    fn row(&mut self, rows: &mut HashMap<u16, Value>, row: u16) -> Value {
        *rows
            .entry(row)
            .or_insert_with(|| self.value(Origin::Row(row)))
    }
}

/// Rows that steps write before they read them.
fn overwritten(steps: &[Step]) -> HashSet<u16> {
    let mut read: HashSet<u16> = HashSet::new();
    let mut written: HashSet<u16> = HashSet::new();
    for step in steps {
        read.extend(step.reads().iter().filter(|row| !written.contains(*row)));
        written.extend(step.writes().filter(|row| !read.contains(row)));
    }
    written
}
