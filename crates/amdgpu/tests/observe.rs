//! What observers see: kernels with planted mistakes are caught, their twins
//! without are not, and what is counted is what was executed.

use amdgpu::isa::{Class, Fidelity};
use amdgpu::{
    AllocationKind, Arch, BoundRange, Check, Checks, Config, Finding, Gpu, Launch, Module,
    Observed, Observer, Report,
};

const BUFFER_BYTES: u64 = 2048;
/// Where in the buffer the second pointer of kernels points to.
const SECOND: u64 = 1024;

/// A device whose launches are watched, and a buffer for its kernels.
struct Device {
    gpu: Gpu,
    module: Module,
    observer: Option<Observer>,
    buffer: u64,
    /// What its launches are bound to.
    bindings: Option<Vec<BoundRange>>,
}

impl Device {
    fn new(arch: Arch, checks: Checks, workers: usize) -> Device {
        Device::with(arch, Some(Observer::new(checks)), workers)
    }

    fn with(arch: Arch, observer: Option<Observer>, workers: usize) -> Device {
        let gpu = Gpu::new(Config {
            arch,
            workers: Some(workers),
            observer: observer.clone(),
            ..Config::default()
        });
        let module = gpu
            .load(&fixtures::read(format!("{}/hazards.hsaco", arch.name())))
            .expect("it loads");
        let memory = gpu.memory();
        let buffer = memory.alloc(BUFFER_BYTES, AllocationKind::Device);
        let buffer = buffer.expect("there is memory");
        Device {
            gpu,
            module,
            observer,
            buffer,
            bindings: None,
        }
    }

    fn run(&self, kernel: &str, workgroups: u32, items: u32) -> Report {
        let kernel = self.module.kernel(kernel).expect("the fixture has it");
        let pointers = [self.buffer, self.buffer + SECOND].map(u64::to_le_bytes);
        let launch = Launch {
            kernel: &kernel,
            grid: [workgroups, 1, 1],
            block: [items, 1, 1],
            dynamic_lds_bytes: 0,
            kernarg: pointers.as_flattened(),
            bindings: self.bindings.as_deref(),
        };
        self.gpu.run(&launch).expect("no fault")
    }

    fn observed(&self) -> Observed {
        let observer = self.observer.as_ref();
        observer.expect("it is observed").observed()
    }

    fn write(&self, offset: u64, bytes: &[u8]) {
        let memory = self.gpu.memory();
        memory.write(self.buffer + offset, bytes).expect("in range");
    }
}

const ARCHS: [Arch; 2] = [Arch::Gfx1100, Arch::Gfx942];

/// What a kernel is found to do, with its buffer written.
fn observe(arch: Arch, checks: Checks, kernel: &str, workgroups: u32, items: u32) -> Observed {
    let device = Device::new(arch, checks, 2);
    device.write(0, &[0; BUFFER_BYTES as usize]);
    device.run(kernel, workgroups, items);
    device.observed()
}

fn kinds(seen: &Observed) -> Vec<Check> {
    seen.findings.iter().map(|finding| finding.check).collect()
}

/// Each planted mistake is found by its check and by no other one; what is
/// right is not found fault with.
#[test]
fn planted_mistakes_are_caught_and_their_twins_are_not() {
    use Check::*;
    let (memory, races, waits) = (Checks::MEMORY, Checks::RACES, Checks::WAITS);
    let none = Checks::empty();
    let rows: &[(&str, u32, u32, Checks, &[Check])] = &[
        ("read_global", 1, 64, none, &[]),
        ("read_bytes", 1, 64, none, &[]),
        ("lds_unwritten", 1, 64, memory, &[NeverWritten]),
        ("lds_written", 1, 64, none, &[]),
        ("scratch_unwritten", 1, 64, memory, &[NeverWritten]),
        ("scratch_written", 1, 64, none, &[]),
        ("lds_race", 1, 128, races, &[ReadRace]),
        ("lds_barrier", 1, 128, none, &[]),
        ("lds_barrier", 3, 128, none, &[]),
        ("global_same_place", 3, 64, races, &[WriteRace]),
        ("global_same_place", 1, 64, none, &[]),
        ("global_same_value", 3, 64, none, &[]),
        ("global_same_end", 3, 128, none, &[]),
        ("global_own_value", 3, 128, none, &[]),
        ("global_others_value", 1, 128, races, &[ReadRace]),
        ("global_apart", 3, 64, none, &[]),
        ("global_count", 3, 128, none, &[]),
        ("global_count_and_read", 3, 64, races, &[ReadRace]),
        ("hand_over", 3, 64, none, &[]),
        ("vector_unwaited", 1, 64, waits, &[MissingWait]),
        ("vector_waited", 1, 64, none, &[]),
        ("second_unwaited", 1, 64, waits, &[MissingWait]),
        ("first_waited", 1, 64, none, &[]),
        ("scalar_unwaited", 1, 64, waits, &[MissingWait]),
        ("scalar_waited", 1, 64, none, &[]),
        ("lds_unwaited", 1, 64, waits, &[MissingWait]),
        ("overwritten", 1, 64, waits, &[OverwrittenLoad]),
        ("loaded_twice", 1, 64, none, &[]),
    ];
    for arch in ARCHS {
        for &(kernel, workgroups, items, check, expected) in rows {
            for checks in [memory, races, waits, Checks::all(), none] {
                let seen = observe(arch, checks, kernel, workgroups, items);
                let expected = if checks.contains(check) {
                    expected
                } else {
                    &[]
                };
                assert_eq!(
                    kinds(&seen),
                    expected,
                    "{kernel} for {arch} with {checks:?}: {:#?}",
                    seen.findings
                );
            }
        }
    }
}

/// Stores count among the loads of gfx9, and apart from those of gfx11: one
/// access under way may be the load there.
#[test]
fn counters_are_those_of_the_generation() {
    let found = |arch| kinds(&observe(arch, Checks::WAITS, "behind_a_store", 1, 64));
    assert_eq!(found(Arch::Gfx942), []);
    assert_eq!(found(Arch::Gfx1100), [Check::MissingWait]);
}

#[test]
fn a_read_of_what_was_never_written_says_where() {
    for arch in ARCHS {
        let device = Device::new(arch, Checks::MEMORY, 1);
        device.write(0, &[1; 40]);
        device.write(48, &[1; 1]);
        device.write(52, &[1; 256]);
        device.run("read_global", 1, 64);
        let findings = device.observed().findings;
        let [finding] = &findings[..] else {
            panic!("{findings:?}");
        };
        let Finding {
            check,
            party,
            address,
            subject,
            ..
        } = finding;
        assert_eq!(*check, Check::NeverWritten);
        // Of the dword at 48 a part was written.
        assert_eq!(party.lanes, 1 << 10 | 1 << 11);
        assert_eq!(*address, Some(device.buffer + 40));
        assert!(subject.contains("at offset 40 of the device allocation of 2048 bytes"));
        let text = finding.to_string();
        for part in [
            "kernel `read_global`",
            "global_load_",
            "workgroup (0, 0, 0), wave 0, lanes 10 to 11",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn fills_copies_and_frees_are_followed() {
    let device = Device::new(Arch::Gfx1100, Checks::MEMORY, 1);
    let memory = device.gpu.memory();
    let found = || device.observed().findings.len();
    let count = || {
        device
            .observed()
            .findings
            .iter()
            .map(|f| f.count)
            .sum::<u64>()
    };
    memory.fill(device.buffer, &[1, 2], 128).expect("in range");
    device.run("read_global", 1, 64);
    assert_eq!(found(), 0);
    // A copy of what was never written is that still.
    let other = memory
        .alloc(BUFFER_BYTES, AllocationKind::Device)
        .expect("there is memory");
    memory.copy(device.buffer, other, 256).expect("in range");
    device.run("read_global", 1, 64);
    assert_eq!((found(), count()), (1, 1));
    memory.write(other, &[0; 256]).expect("in range");
    memory.copy(device.buffer, other, 256).expect("in range");
    device.run("read_global", 1, 64);
    assert_eq!(count(), 1);
    memory.discard(device.buffer, 256);
    device.run("read_global", 1, 64);
    assert_eq!(count(), 2);
    // A kernel writes as well.
    device.run("global_apart", 256, 64);
    device.run("read_global", 1, 64);
    assert_eq!(count(), 2);
    memory.free(other).expect("it is live");
}

#[test]
fn bytes_are_told_apart() {
    let device = Device::new(Arch::Gfx942, Checks::MEMORY, 1);
    device.write(0, &[1; 62]);
    device.run("read_bytes", 1, 64);
    let findings = device.observed().findings;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].party.lanes, 0b11 << 62);
}

#[test]
fn a_race_names_both_parties() {
    let seen = observe(Arch::Gfx942, Checks::RACES, "global_same_place", 3, 64);
    let finding = &seen.findings[0];
    let other = finding.other.as_ref().expect("two parties");
    assert_ne!(finding.party.workgroup, other.workgroup);
    assert_eq!(
        finding.party.code_object_offset, other.code_object_offset,
        "one instruction, twice"
    );
    let text = finding.to_string();
    assert!(text.contains("; against pc 0x"), "{text}");

    let seen = observe(Arch::Gfx1100, Checks::RACES, "lds_race", 1, 128);
    let finding = &seen.findings[0];
    let other = finding.other.as_ref().expect("two parties");
    let waves = [finding.party.wave, other.wave];
    assert!(waves == [0, 1] || waves == [1, 0], "{waves:?}");
    assert!(finding.subject.starts_with("LDS offset"), "{finding}");
    assert!(finding.count >= 64, "each lane reads: {finding}");
}

#[test]
fn a_missing_wait_names_register_and_load() {
    let seen = observe(Arch::Gfx1100, Checks::WAITS, "second_unwaited", 1, 64);
    let text = seen.findings[0].to_string();
    for part in [
        "v3; pc",
        "`v_mov_b32_e32 v1, v3`",
        "loaded by pc",
        "`global_load_b32 v3, v1, s[4:5] offset:4`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn what_is_executed_and_moved_is_counted() {
    let plain = Device::with(Arch::Gfx942, None, 1);
    let unobserved = plain.run("vector_waited", 5, 96);
    for workers in [1, 4] {
        let device = Device::new(Arch::Gfx942, Checks::empty(), workers);
        let report = device.run("vector_waited", 5, 96);
        let seen = device.observed();
        let [launch] = &seen.launches[..] else {
            panic!("{:?}", seen.launches);
        };
        assert_eq!(
            (launch.kernel.as_str(), launch.grid, launch.block),
            ("vector_waited", [5, 1, 1], [96, 1, 1])
        );
        let counts = &launch.counts;
        assert_eq!((counts.workgroups, counts.waves), (5, 10));
        let of = |class: Class| counts.instructions[class as usize];
        // v_and, v_lshlrev and v_mov; a load, a scalar load, two waits, the end.
        assert_eq!(of(Class::Vector), 30);
        assert_eq!(of(Class::Load), 10);
        assert_eq!(of(Class::ScalarMemory), 10);
        assert_eq!(of(Class::Wait), 20);
        assert_eq!(of(Class::Branch), 10);
        assert_eq!(counts.all_instructions(), 80);
        assert_eq!(report, unobserved, "observing changes no figure");
        // The second wave of each workgroup has 32 lanes.
        assert_eq!(counts.share_of_lanes(), Some(0.75));
        assert_eq!(counts.global.loaded, 5 * 96 * 4 + 10 * 8);
        assert_eq!((counts.global.stored, counts.lds.loaded), (0, 0));
    }
}

#[test]
fn traffic_is_counted_by_kind_of_memory() {
    let device = Device::new(Arch::Gfx1100, Checks::empty(), 1);
    device.run("lds_written", 1, 64);
    device.run("scratch_written", 1, 64);
    device.run("global_count", 2, 64);
    let seen = device.observed();
    let [lds, scratch, count] = [0, 1, 2].map(|launch: usize| seen.launches[launch].counts);
    assert_eq!((lds.lds.loaded, lds.lds.stored), (256, 256));
    assert_eq!((scratch.scratch.loaded, scratch.scratch.stored), (256, 256));
    assert_eq!(count.global.atomic, 2 * 64 * 4);
}

#[test]
fn instructions_are_counted_by_mnemonic() {
    let device = Device::new(Arch::Gfx1100, Checks::empty(), 1);
    device.run("lds_written", 3, 64);
    device.run("lds_written", 1, 64);
    let seen = device.observed();
    let load = seen
        .instructions
        .iter()
        .find(|count| count.mnemonic == "ds_load_b32")
        .expect("it was executed");
    assert_eq!(load.executed, 4);
    assert_eq!((load.class, load.fidelity), (Class::Lds, Fidelity::Exact));
}

#[test]
fn checks_are_named() {
    assert_eq!("memory, waits".parse(), Ok(Checks::MEMORY | Checks::WAITS));
    assert_eq!("all".parse(), Ok(Checks::all()));
    let error = "memory,race".parse::<Checks>().expect_err("no such check");
    assert!(error.to_string().contains("`race`"), "{error}");
}

/// A range of the buffer: offset, bytes, whether it is only to be read.
type Bound = (u64, u64, bool);

/// What is found when a wave of a kernel runs bound to ranges of the buffer.
fn bound(arch: Arch, checks: Checks, kernel: &str, ranges: &[Bound]) -> Vec<Finding> {
    let mut device = Device::new(arch, checks, 1);
    device.write(0, &[0; BUFFER_BYTES as usize]);
    let range = |&(offset, bytes, is_read_only): &Bound| BoundRange {
        address: device.buffer + offset,
        bytes,
        is_read_only,
    };
    device.bindings = Some(ranges.iter().map(range).collect());
    device.run(kernel, 1, 64);
    device.observed().findings
}

#[test]
fn only_bindings_may_be_accessed() {
    use Check::{OutsideBindings, ReadOnlyBinding};
    let (source, target) = ((0, 256, true), (SECOND, 256, false));
    let both = [source, target];
    let rows: &[(&str, &[Bound], &[Check])] = &[
        ("copy_own", &both, &[]),
        ("copy_next", &both, &[OutsideBindings]),
        ("copy_next", &[(0, 260, true), target], &[]),
        ("copy_own", &[source], &[OutsideBindings]),
        ("copy_own", &[], &[OutsideBindings, OutsideBindings]),
        // It need not be one binding that has all of them.
        ("copy_own", &[(0, 100, true), (100, 156, true), target], &[]),
        (
            "copy_own",
            &[source, (SECOND, 253, false)],
            &[OutsideBindings],
        ),
        ("store_to_source", &both, &[ReadOnlyBinding]),
        ("store_to_source", &[(0, 256, false)], &[]),
        // Under one of its two bindings it may be written.
        ("store_to_source", &[source, (0, 256, false)], &[]),
        (
            "store_to_source",
            &[source, (0, 252, false)],
            &[ReadOnlyBinding],
        ),
        // Scalars are loaded by whole dwords, three as four.
        ("read_one", &[(0, 1, true)], &[]),
        ("read_four", &[(0, 12, true)], &[]),
        ("read_four", &[(0, 0, true)], &[OutsideBindings]),
        ("read_one", &[(4, 4, true)], &[OutsideBindings]),
        // What belongs to a launch without being bound.
        ("read_code", &[], &[]),
        ("lds_written", &[], &[]),
        ("scratch_written", &[], &[]),
    ];
    for arch in ARCHS {
        for &(kernel, ranges, expected) in rows {
            for checks in [Checks::MEMORY, Checks::RACES | Checks::WAITS] {
                let findings = bound(arch, checks, kernel, ranges);
                let found: Vec<_> = findings.iter().map(|finding| finding.check).collect();
                let expected = match checks.contains(Checks::MEMORY) {
                    true => expected,
                    false => &[],
                };
                assert_eq!(
                    found, expected,
                    "{kernel} for {arch}, {ranges:?}: {findings:#?}"
                );
            }
        }
    }
}

#[test]
fn an_access_outside_names_the_nearest_binding() {
    for arch in ARCHS {
        let far = (SECOND + 512, 4, false);
        let near = (SECOND, 228, false);
        let findings = bound(
            arch,
            Checks::MEMORY,
            "copy_own",
            &[(0, 256, true), far, near],
        );
        let [finding] = &findings[..] else {
            panic!("{findings:#?}");
        };
        // The lanes from 57 on.
        assert_eq!(finding.party.lanes, !0 << 57);
        let address = finding.address.expect("a place in memory");
        let buffer = address - SECOND - 228;
        let text = finding.to_string();
        for part in [
            "kernel `copy_own`: access outside the bindings of the launch",
            &format!(
                "{address:#x}, 0 bytes past the end of binding 2 (228 bytes at {:#x}), \
                 at offset {} of the device allocation of 2048 bytes at {buffer:#x}",
                buffer + SECOND,
                SECOND + 228
            ),
            "`global_store_",
            "of workgroup (0, 0, 0), wave 0, lanes 57 to 63",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }

        let findings = bound(arch, Checks::MEMORY, "store_to_source", &[(0, 256, true)]);
        let text = findings[0].to_string();
        assert!(
            text.contains("write to a binding that is declared read-only"),
            "{text}"
        );
        assert!(
            text.contains("at offset 0 of binding 0 (256 bytes at "),
            "{text}"
        );

        let findings = bound(arch, Checks::MEMORY, "read_one", &[]);
        let text = findings[0].to_string();
        assert!(
            text.contains(", with nothing bound, at offset 0 of the device"),
            "{text}"
        );
    }
}
