//! Kernels that go wrong: every fault is a value that names its place, and
//! the device is as good as before.

use std::thread;
use std::time::Duration;

use amdgpu::{
    AllocationKind, Config, Fault, FaultKind, Gpu, Kernel, Launch, LoadError, Module, Relation,
    Report,
};

struct Device {
    gpu: Gpu,
    module: Module,
}

fn device() -> Device {
    device_with(Config {
        instruction_budget: 3_000_000,
        workers: Some(2),
        ..Config::default()
    })
}

fn device_with(config: Config) -> Device {
    let gpu = Gpu::new(config);
    let module = gpu
        .load(&fixtures::read("gfx1100/faults.hsaco"))
        .expect("it loads");
    Device { gpu, module }
}

impl Device {
    fn kernel(&self, name: &str) -> Kernel {
        self.module
            .kernel(name)
            .expect("the fixture has the kernel")
    }

    fn launch(&self, name: &str, block: u32, kernarg: &[u8]) -> Result<Report, Fault> {
        self.gpu.run(&Launch {
            kernel: &self.kernel(name),
            grid: [1; 3],
            block: [block, 1, 1],
            dynamic_lds_bytes: 0,
            kernarg,
            bindings: None,
        })
    }

    fn at(&self, name: &str, address: u64, offset: u64) -> Result<Report, Fault> {
        self.launch(
            name,
            32,
            &[address.to_le_bytes(), offset.to_le_bytes()].concat(),
        )
    }

    fn alloc(&self, bytes: u64) -> u64 {
        self.gpu
            .memory()
            .alloc(bytes, AllocationKind::Device)
            .expect("there is memory")
    }

    /// A launch that works, whatever went wrong before.
    fn check_alive(&self) {
        let address = self.alloc(64);
        self.at("store_at", address, 8)
            .expect("an access in bounds");
        let mut word = [0; 4];
        self.gpu
            .memory()
            .read(address + 8, &mut word)
            .expect("it is live");
        assert_eq!(u32::from_le_bytes(word), 42);
        self.gpu.memory().free(address).expect("it is live");
    }
}

fn expect_fault(result: Result<Report, Fault>) -> Fault {
    result.expect_err("the kernel goes wrong")
}

#[test]
fn write_past_the_end() {
    let device = device();
    let address = device.alloc(256);
    device
        .at("store_at", address, 252)
        .expect("the last dword is in bounds");
    let fault = expect_fault(device.at("store_at", address, 260));
    assert_eq!(fault.kind, FaultKind::OutOfBounds);
    assert_eq!(fault.kernel, "store_at");
    assert_eq!(
        (fault.workgroup, fault.wave, fault.lane),
        ([0; 3], 0, Some(0))
    );
    let access = fault.access.expect("an access is to blame");
    assert_eq!(
        (access.address, access.bytes, access.write),
        (address + 260, 4, true)
    );
    let nearest = fault.nearest.expect("there is an allocation");
    assert_eq!(
        (nearest.allocation.base, nearest.allocation.bytes),
        (address, 256)
    );
    assert_eq!(nearest.relation, Relation::After { distance: 4 });
    assert!(
        fault.instruction.starts_with("global_store_b32"),
        "{}",
        fault.instruction
    );
    assert!(fault.code_object_offset.is_some());
    let text = fault.to_string();
    for part in [
        "kernel `store_at`",
        "write of 4 bytes",
        "4 bytes past the end of the device allocation of 256 bytes",
        "global_store_b32",
        "workgroup (0, 0, 0), wave 0, lane 0",
    ] {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
    device.check_alive();
}

#[test]
fn access_that_straddles_the_end() {
    let device = device();
    let address = device.alloc(256);
    let fault = expect_fault(device.at("load_at", address, 254));
    assert_eq!(fault.kind, FaultKind::OutOfBounds);
    let relation = fault.nearest.expect("there is an allocation").relation;
    assert_eq!(
        relation,
        Relation::Inside {
            offset: 254,
            overrun: 2
        }
    );
    assert!(!fault.access.expect("an access is to blame").write);
    device.check_alive();
}

#[test]
fn wild_and_null_pointers() {
    let device = device();
    for address in [0, 0x1234, u64::MAX - 1, 1 << 47] {
        for kernel in ["store_at", "load_at", "atomic_at"] {
            let fault = expect_fault(device.at(kernel, address, 0));
            assert_eq!(
                fault.kind,
                FaultKind::OutOfBounds,
                "{kernel} at {address:#x}"
            );
            assert_eq!(fault.access.map(|access| access.address), Some(address));
        }
    }
    device.check_alive();
}

#[test]
fn use_after_free() {
    let device = device();
    let address = device.alloc(4096);
    device.gpu.memory().free(address).expect("it is live");
    let fault = expect_fault(device.at("load_at", address, 100));
    assert_eq!(fault.kind, FaultKind::UseAfterFree);
    let nearest = fault.nearest.expect("the freed range is remembered");
    assert_eq!(nearest.relation, Relation::Freed { offset: 100 });
    assert_eq!(nearest.allocation.bytes, 4096);
    assert!(
        fault
            .to_string()
            .contains("FREED device allocation of 4096 bytes"),
        "{fault}"
    );
    device.check_alive();
}

#[test]
fn write_to_code() {
    let device = device();
    let module = device
        .gpu
        .load(&fixtures::read("gfx1100/variables.hsaco"))
        .expect("it loads");
    let (table, _) = module.global("table").expect("the fixture has it");
    device
        .at("store_at", table, 0)
        .expect("variables may be written");
    // Code and constants lie below the variables, in segments of their own.
    let below = (1..0x10_000).filter_map(|back| device.gpu.memory().allocation(table - 4 * back));
    let mut segments: Vec<u64> = below.map(|allocation| allocation.base).collect();
    segments.dedup();
    let faults: Vec<Fault> = segments
        .iter()
        .filter_map(|&segment| device.at("store_at", segment, 0).err())
        .collect();
    assert!(
        !faults.is_empty(),
        "no segment of {segments:x?} is read-only"
    );
    for fault in faults {
        assert_eq!(fault.kind, FaultKind::ReadOnly, "{fault}");
        assert!(fault.to_string().contains("the code allocation"), "{fault}");
    }
    device.check_alive();
}

#[test]
fn misaligned_atomic() {
    let device = device();
    let address = device.alloc(256);
    device
        .at("atomic_at", address, 8)
        .expect("an aligned one is fine");
    let mut word = [0; 4];
    device
        .gpu
        .memory()
        .read(address + 8, &mut word)
        .expect("it is live");
    assert_eq!(u32::from_le_bytes(word), 32, "every lane adds one");
    let fault = expect_fault(device.at("atomic_at", address, 10));
    assert_eq!(fault.kind, FaultKind::Misaligned);
    assert!(
        fault.instruction.starts_with("global_atomic_add_u32"),
        "{}",
        fault.instruction
    );
    device.check_alive();
}

#[test]
fn endless_loop() {
    let device = device();
    let fault = expect_fault(device.launch("endless_loop", 64, &[]));
    assert_eq!(fault.kind, FaultKind::InstructionBudget);
    assert!(
        fault.instruction.starts_with("s_branch"),
        "{}",
        fault.instruction
    );
    device.check_alive();
}

#[test]
fn unknown_instruction() {
    let device = device();
    let fault = expect_fault(device.launch("unknown_instruction", 32, &[]));
    assert_eq!(fault.kind, FaultKind::UnknownInstruction);
    assert_eq!(fault.encoding, [0xcafe_f00d]);
    assert!(fault.to_string().contains("cafef00d"), "{fault}");
    device.check_alive();
}

#[test]
fn trap() {
    let device = device();
    let fault = expect_fault(device.launch("trap", 32, &[]));
    assert_eq!(fault.kind, FaultKind::Trap);
    assert!(fault.detail.contains("trap 2"), "{}", fault.detail);
    device.check_alive();
}

#[test]
fn lds_overflow() {
    let device = device();
    device
        .launch("lds_store_at", 32, &252_u32.to_le_bytes())
        .expect("the last dword is there");
    let fault = expect_fault(device.launch("lds_store_at", 32, &256_u32.to_le_bytes()));
    assert_eq!(fault.kind, FaultKind::LdsOutOfBounds);
    assert_eq!(fault.access.map(|access| access.address), Some(256));
    assert!(fault.to_string().contains("256 bytes of LDS"), "{fault}");
    // Dynamic LDS makes it longer.
    let kernel = device.kernel("lds_store_at");
    let launch = Launch {
        kernel: &kernel,
        grid: [1; 3],
        block: [32, 1, 1],
        dynamic_lds_bytes: 4,
        kernarg: &256_u32.to_le_bytes(),
        bindings: None,
    };
    device.gpu.run(&launch).expect("256 is in bounds now");
}

#[test]
fn waves_see_what_the_host_writes() {
    let device = device_with(Config {
        instruction_budget: u64::MAX,
        workers: Some(2),
        ..Config::default()
    });
    let (flag, done) = (device.alloc(4), device.alloc(4));
    thread::scope(|scope| {
        let kernarg = [flag.to_le_bytes(), done.to_le_bytes()].concat();
        let waiting = scope.spawn({
            let device = &device;
            move || device.launch("wait_for_flag", 32, &kernarg)
        });
        // Other launches run beside the one that waits.
        device.check_alive();
        thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished(), "nobody has set the flag");
        device
            .gpu
            .memory()
            .write(flag, &7_u32.to_le_bytes())
            .expect("it is live");
        waiting.join().expect("no panic").expect("no fault");
    });
    let mut word = [0; 4];
    device
        .gpu
        .memory()
        .read(done, &mut word)
        .expect("it is live");
    assert_eq!(u32::from_le_bytes(word), 7);
}

#[test]
fn launches_that_do_not_fit() {
    let device = device();
    let kernel = device.kernel("lds_store_at");
    let kernarg = 0_u32.to_le_bytes();
    let good = Launch {
        kernel: &kernel,
        grid: [1; 3],
        block: [32, 1, 1],
        dynamic_lds_bytes: 0,
        kernarg: &kernarg,
        bindings: None,
    };
    let other = device_with(Config::default());
    let other_kernel = other.kernel("lds_store_at");
    let cases = [
        (
            Launch {
                grid: [1, 0, 1],
                ..good
            },
            "empty grid",
        ),
        (
            Launch {
                block: [0, 1, 1],
                ..good
            },
            "empty grid",
        ),
        (
            Launch {
                block: [32, 33, 1],
                ..good
            },
            "the kernel allows 1024",
        ),
        (
            Launch {
                block: [u32::MAX, u32::MAX, 1],
                ..good
            },
            "the kernel allows 1024",
        ),
        (
            Launch {
                grid: [u32::MAX, 1, 1],
                ..good
            },
            "2^32 - 1",
        ),
        (
            Launch {
                dynamic_lds_bytes: 65_281,
                ..good
            },
            "65537 bytes of LDS",
        ),
        (
            Launch {
                dynamic_lds_bytes: u32::MAX,
                ..good
            },
            "bytes of LDS",
        ),
        (
            Launch {
                kernarg: &kernarg[..3],
                ..good
            },
            "3 bytes of arguments, the kernel takes 4",
        ),
        (
            Launch {
                kernel: &other_kernel,
                ..good
            },
            "another device",
        ),
    ];
    for (launch, part) in cases {
        let fault = expect_fault(device.gpu.run(&launch));
        assert_eq!(fault.kind, FaultKind::InvalidLaunch, "{fault}");
        assert!(fault.to_string().contains(part), "no {part:?} in: {fault}");
    }
    device.gpu.run(&good).expect("it fits");

    let module = device
        .gpu
        .load(&fixtures::read("gfx1100/variables.hsaco"))
        .expect("it loads");
    let kernel = module.kernel("sum_table").expect("the fixture has it");
    let wrong = Launch {
        kernel: &kernel,
        kernarg: &[0; 8],
        ..good
    };
    let fault = expect_fault(device.gpu.run(&wrong));
    assert!(fault.to_string().contains("compiled for 1x1x1"), "{fault}");
}

#[test]
fn relocations_and_variables() {
    let device = device();
    let module = device
        .gpu
        .load(&fixtures::read("gfx1100/variables.hsaco"))
        .expect("it loads");
    let out = device.alloc(4);
    let kernel = module.kernel("sum_table").expect("the fixture has it");
    let launch = Launch {
        kernel: &kernel,
        grid: [1; 3],
        block: [1; 3],
        dynamic_lds_bytes: 0,
        kernarg: &out.to_le_bytes(),
        bindings: None,
    };
    let sum = || {
        device.gpu.run(&launch).expect("no fault");
        let mut word = [0; 4];
        device
            .gpu
            .memory()
            .read(out, &mut word)
            .expect("it is live");
        u32::from_le_bytes(word)
    };
    assert_eq!(sum(), 42);
    let (first, bytes) = module.global("first").expect("the fixture has it");
    assert_eq!(bytes, 4);
    device
        .gpu
        .memory()
        .write(first, &100_u32.to_le_bytes())
        .expect("it is live");
    assert_eq!(sum(), 102);
    let (_, bytes) = module.global("scratchpad").expect("the fixture has it");
    assert_eq!(bytes, 4096);
    assert!(module.global("no_such_variable").is_none());
}

#[test]
fn foreign_files_are_refused() {
    let gpu = Gpu::new(Config::default());
    let foreign = fixtures::read("gfx942/abs.fb");
    let executable = vmfb::executable::Executable::parse(&foreign).expect("a container");
    let image = executable.image_of(&executable.exports[0]);
    match gpu.load(image) {
        Err(LoadError::WrongArch { found, .. }) => assert!(found.contains("gfx942"), "{found}"),
        other => panic!("{other:?}"),
    }
    for junk in [&b""[..], b"\x7fELF", b"not a code object at all"] {
        assert!(matches!(gpu.load(junk), Err(LoadError::InvalidImage(_))));
    }
    assert_eq!(gpu.memory().usage().allocations, 0);
}

#[test]
fn unloading_gives_the_memory_back() {
    let device = device();
    let kernel = device.kernel("trap");
    let before = device.gpu.memory().usage().allocations;
    assert!(before > 0, "segments are registered");
    let Device { gpu, module } = device;
    drop(module);
    assert_eq!(
        gpu.memory().usage().allocations,
        before,
        "a kernel keeps its module"
    );
    drop(kernel);
    assert_eq!(gpu.memory().usage().allocations, 0);
}
