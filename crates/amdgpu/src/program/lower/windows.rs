//! Stretches of ops that run together: as native code, or several of one kind.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::{Joint, Lowerer};
use crate::exec::families::RunWindow;
use crate::program::Op;
use crate::program::native::{self, Step, Window};
use crate::simd::Backend;
use crate::wave::slot;

impl Lowerer {
    /// Adds an op that does nothing but compute `dwords` scalars.
    pub(in crate::program) fn push_scalar_op(&mut self, op: Op, dwords: u16) {
        if !(slot::EXEC..slot::EXEC + 2).contains(&op.d) {
            let written = op.d..op.d + dwords;
            self.scalar_ops.push((self.ops.len(), written));
        }
        self.push(op);
    }

    /// Puts ops that compute scalars in front of ops of rows that do not read
    /// these: compilers mix them, and native code is made for the latter.
    pub(super) fn gather_scalar_ops(&mut self) {
        let Some(entry) = self.entry.filter(|_| self.has_native_code()) else {
            return;
        };
        let mut starts = self.branch_targets();
        starts.insert(self.op_of_target(entry));
        let mut order = Vec::with_capacity(self.ops.len());
        // Where the op with each number is, and where to go for it.
        let mut places = vec![0; self.ops.len()];
        let mut entries = vec![0; self.ops.len()];
        let mut steps = self.steps.iter().peekable();
        let mut scalar_ops = self.scalar_ops.iter().peekable();
        let mut index = 0;
        while index < self.ops.len() {
            let first = index;
            let mut scalars = Vec::new();
            let mut others = Vec::new();
            let mut read: Vec<Range<u16>> = Vec::new();
            while index < self.ops.len() {
                if index > first && starts.contains(&(index as u32)) {
                    break;
                }
                if let Some((_, step)) = steps.next_if(|(at, _)| *at == index) {
                    read.extend(step.slots());
                    others.push(index);
                } else if let Some((_, written)) = scalar_ops.next_if(|(at, _)| *at == index)
                    && !read.iter().any(|read| overlap(read, written))
                {
                    scalars.push(index);
                } else {
                    others.push(index);
                    index += 1;
                    break;
                }
                index += 1;
            }
            for &number in scalars.iter().chain(&others) {
                places[number] = order.len();
                entries[number] = order.len();
                order.push(number);
            }
            entries[first] = order.len() - (index - first);
        }
        self.ops = order.iter().map(|&number| self.ops[number]).collect();
        self.origins = order.iter().map(|&number| self.origins[number]).collect();
        for (at, _) in &mut self.branches {
            *at = places[*at];
        }
        for (at, _) in &mut self.steps {
            *at = places[*at];
        }
        for (at, _) in &mut self.joints {
            *at = places[*at];
        }
        let begun = self
            .by_offset
            .iter_mut()
            .filter(|index| **index != u32::MAX);
        for index in begun {
            *index = entries[*index as usize] as u32;
        }
    }

    /// Indices of the ops that branches go to.
    fn branch_targets(&self) -> HashSet<u32> {
        let branches = self.branches.iter();
        branches
            .map(|&(_, target)| self.op_of_target(target))
            .collect()
    }

    /// Native code is for one processor and calling convention.
    fn has_native_code(&self) -> bool {
        self.backend != Backend::Portable && cfg!(unix)
    }

    /// Finds stretches of ops that native code can stand for, and puts an op in
    /// front of each that tries that. The others stay as they are.
    pub(super) fn windows(&mut self) -> Vec<Window> {
        if !self.has_native_code() {
            return Vec::new();
        }
        let mut found = Vec::new();
        let targets = self.branch_targets();
        let mut steps = self.steps.as_slice();
        while let [(first, _), ..] = steps {
            let follows = |&(place, (index, _)): &(usize, &(usize, Step))| {
                *index == first + place && (place == 0 || !targets.contains(&(*index as u32)))
            };
            let count = steps.iter().enumerate().take_while(follows).count();
            let stretch: Arc<[Step]> = steps[..count].iter().map(|&(_, step)| step).collect();
            for range in native::windows(&stretch) {
                let at = first + range.start..first + range.end;
                found.push((
                    at.start,
                    Window::new(&self.ops, at, &stretch, range, self.backend),
                ));
            }
            steps = &steps[count..];
        }
        let run = self.code::<RunWindow>();
        self.joints
            .retain(|(joint, _)| found.binary_search_by_key(joint, |(at, _)| *at).is_err());
        for (number, &(at, _)) in found.iter().enumerate() {
            self.ops[at] = Op {
                imm: number as u32,
                ..self.op_of(run)
            };
        }
        found.into_iter().map(|(_, window)| window).collect()
    }

    /// Lets the first of several ops of one kind run them all. The others stay
    /// as they are, for whoever comes to them by a branch.
    pub(super) fn join(&mut self) {
        let mut joints = self.joints.as_slice();
        while let [(first, joint), rest @ ..] = joints {
            let follows = |(place, (index, other)): (usize, &(usize, Joint))| {
                *index == first + 1 + place && other.kind == joint.kind
            };
            let others = rest.iter().enumerate().take_while(|&next| follows(next));
            let count = 1 + others.count();
            if count > 1 {
                self.ops[*first].run = joint.run;
                self.ops[*first].imm = count as u32;
            }
            joints = &joints[count..];
        }
    }

    /// Says what the op that is pushed next does, for native code.
    pub(in crate::program) fn know(&mut self, step: Step) {
        self.steps.push((self.ops.len(), step));
    }
}

fn overlap(a: &Range<u16>, b: &Range<u16>) -> bool {
    a.start < b.end && b.start < a.end
}
