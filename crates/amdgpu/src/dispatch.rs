//! Launches: checks, kernel arguments, and workgroups over worker threads.

mod kernarg;
mod pool;
mod workgroup;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::arch::Arch;
use crate::fault::{Fault, FaultKind};
use crate::gpu::{Launch, Report};
use crate::memory::{Memory, View};
use crate::module::Kernel;
use crate::observe::{Observer, Subject, Watch};
use crate::program::Program;
use crate::simd::Backend;

pub(crate) use pool::Pool;

/// Workgroups below which a grid stays on the calling thread.
const SMALL_GRID: u64 = 2;

/// Everything the workers share of one launch.
#[derive(Debug)]
pub(crate) struct Job {
    kernel: Kernel,
    program: Arc<Program>,
    view: View,
    grid: [u32; 3],
    block: [u32; 3],
    lds_bytes: u32,
    /// Arguments in scalar registers.
    preloaded: Vec<u32>,
    budget: u64,
    began: Instant,
    /// The next workgroup to hand out.
    next: AtomicU64,
    workgroups: u64,
    /// Set by the first fault; nothing is handed out any more.
    stopped: AtomicBool,
    fault: Mutex<Option<Fault>>,
    instructions: AtomicU64,
    /// Who watches, if anybody does.
    watch: Option<Watch>,
}

/// Runs a launch to its end.
pub(crate) fn run(
    arch: Arch,
    memory: &Arc<Memory>,
    backend: Backend,
    budget: u64,
    observer: Option<&Observer>,
    pool: &Pool,
    launch: &Launch<'_>,
) -> Result<Report, Fault> {
    let kernel = launch.kernel;
    let lds_bytes = check(arch, memory, launch)
        .map_err(|reason| Fault::refused(FaultKind::InvalidLaunch, kernel.name(), reason))?;
    let program = kernel.program(backend, observer.is_some())?;
    let table = memory.snapshot();
    let bytes = kernarg::bytes(kernel);
    let mut preloaded = Vec::new();
    let view = View::new(table, bytes, |address, block| {
        kernarg::fill(block, address, launch);
        preloaded = kernarg::preloaded(block, kernel);
    })
    .ok_or_else(|| {
        let text = "the host has no memory for the kernel arguments".to_owned();
        Fault::refused(FaultKind::OutOfMemory, kernel.name(), text)
    })?;
    let workgroups = launch.grid.iter().map(|&n| u64::from(n)).product();
    let waves = launch
        .block
        .iter()
        .product::<u32>()
        .div_ceil(kernel.wave_size());
    let watch = observer.map(|observer| {
        observer.watch(Subject {
            kernel: kernel.name().to_owned(),
            program: program.clone(),
            memory: memory.clone(),
            grid: launch.grid,
            block: launch.block,
            waves_per_workgroup: waves,
            lds_bytes,
            scratch_bytes: workgroup::scratch_bytes(kernel),
            bindings: launch.bindings.map(<[_]>::to_vec),
        })
    });
    let alone = watch.as_ref().is_some_and(Watch::is_serial);
    let job = Job {
        kernel: kernel.clone(),
        program,
        view,
        grid: launch.grid,
        block: launch.block,
        lds_bytes,
        preloaded,
        budget,
        began: Instant::now(),
        next: AtomicU64::new(0),
        workgroups,
        stopped: AtomicBool::new(false),
        fault: Mutex::new(None),
        instructions: AtomicU64::new(0),
        watch,
    };
    let job = if alone || workgroups < SMALL_GRID || pool.workers() == 1 {
        pool.run_alone(&job);
        job
    } else {
        pool.run_together(job)
    };
    let fault = job
        .fault
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(watch) = job.watch {
        watch.finish(fault.is_none());
    }
    if let Some(fault) = fault {
        return Err(fault);
    }
    Ok(Report {
        workgroups,
        waves: workgroups * u64::from(waves),
        instructions: job.instructions.load(Ordering::Relaxed),
    })
}

impl Job {
    /// The next workgroup, unless there is none or the launch has failed.
    fn take(&self) -> Option<u64> {
        if self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        (index < self.workgroups).then_some(index)
    }

    /// Keeps the first fault and stops the launch.
    fn fail(&self, fault: Fault) {
        self.stopped.store(true, Ordering::Relaxed);
        let mut first = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(fault);
    }

    fn position(&self, index: u64) -> [u32; 3] {
        let [x, y, _] = self.grid.map(u64::from);
        [
            (index % x) as u32,
            (index / x % y) as u32,
            (index / (x * y)) as u32,
        ]
    }
}

/// Checks a launch against kernel and chip; gives the LDS bytes of a workgroup.
fn check(arch: Arch, memory: &Arc<Memory>, launch: &Launch<'_>) -> Result<u32, String> {
    let kernel = launch.kernel;
    let [x, y, z] = launch.block;
    if !kernel.lives_in(memory) {
        return Err("the kernel is loaded on another device".to_owned());
    }
    if launch.grid.contains(&0) || launch.block.contains(&0) {
        let [gx, gy, gz] = launch.grid;
        return Err(format!(
            "empty grid: {gx}x{gy}x{gz} workgroups of {x}x{y}x{z}"
        ));
    }
    let size = launch
        .block
        .iter()
        .try_fold(1_u32, |size, &n| size.checked_mul(n));
    let most = kernel.max_workgroup_size().min(arch.max_workgroup_size());
    let size = size.filter(|&size| size <= most).ok_or_else(|| {
        format!("workgroups of {x}x{y}x{z} work-items, the kernel allows {most} in all")
    })?;
    if let Some([rx, ry, rz]) = kernel.required_workgroup_size()
        && [rx, ry, rz] != launch.block
    {
        return Err(format!(
            "workgroups of {x}x{y}x{z} work-items, the kernel was compiled for {rx}x{ry}x{rz}"
        ));
    }
    if launch
        .grid
        .iter()
        .zip(launch.block)
        .any(|(&n, m)| n.checked_mul(m).is_none())
    {
        return Err("more than 2^32 - 1 work-items in one dimension".to_owned());
    }
    let lds = u64::from(kernel.lds_bytes()) + u64::from(launch.dynamic_lds_bytes);
    if lds > u64::from(arch.max_lds_bytes()) {
        return Err(format!(
            "{lds} bytes of LDS ({} of the kernel, {} of the launch), the chip has {} for a workgroup",
            kernel.lds_bytes(),
            launch.dynamic_lds_bytes,
            arch.max_lds_bytes()
        ));
    }
    let needed = kernel.explicit_kernarg_bytes() as usize;
    if launch.kernarg.len() < needed {
        return Err(format!(
            "{} bytes of arguments, the kernel takes {needed}",
            launch.kernarg.len()
        ));
    }
    debug_assert!(size >= 1);
    Ok(lds as u32)
}
