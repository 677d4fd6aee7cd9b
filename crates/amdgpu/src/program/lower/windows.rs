//! Stretches of ops that native code can stand for.

use std::collections::HashSet;
use std::sync::Arc;

use super::Lowerer;
use crate::exec::families::RunWindow;
use crate::program::Op;
use crate::program::native::{self, Step, Window};
use crate::simd::Backend;

impl Lowerer {
    /// Finds stretches of ops that native code can stand for, and puts an op in
    /// front of each that tries that. The others stay as they are.
    pub(super) fn windows(&mut self) -> Vec<Window> {
        // Native code is for one processor and calling convention.
        if self.backend == Backend::Portable || cfg!(not(unix)) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let targets = self
            .branches
            .iter()
            .map(|(_, target)| self.by_offset[target]);
        let targets: HashSet<u32> = targets.collect();
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

    /// Says what the op that is pushed next does, for native code.
    pub(in crate::program) fn know(&mut self, step: Step) {
        self.steps.push((self.ops.len(), step));
    }
}
