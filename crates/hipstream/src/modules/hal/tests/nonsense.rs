//! Calls that make no sense: any row, any numbers, any objects. Programs are
//! not trusted to call what fits; they get errors, and the device goes on.

use hal::{CommandBufferMode, DeviceParams};
use vm::{Call, Flow, Item, Kind, Ref, RefType, Signature, Value};

use super::fixture::{Fixture, data, words};
use crate::modules::hal::table::{EXPORTS, FUNCTIONS};
use crate::modules::hal::types;

const CALLS: usize = 20_000;
/// Objects kept to be used again.
const OBJECTS: usize = 64;

/// Numbers at which something changes. None asks for an amount of memory that
/// a host could have and would miss.
const NUMBERS: [i64; 16] = [
    0,
    1,
    2,
    3,
    4,
    8,
    16,
    17,
    28,
    64,
    4096,
    -1,
    -16,
    i64::MAX,
    i64::MIN,
    0x30,
];

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ x >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// What the first object of a function most often is, so that some calls get
/// further than to an object of another type.
fn first_kind(name: &str) -> Option<&'static RefType> {
    let rows = [
        ("allocator.", types::ALLOCATOR.erased()),
        ("buffer.", types::BUFFER.erased()),
        ("buffer_view.create", types::BUFFER.erased()),
        ("buffer_view.", types::BUFFER_VIEW.erased()),
        ("channel.create", types::DEVICE.erased()),
        ("channel.", types::CHANNEL.erased()),
        ("command_buffer.create", types::DEVICE.erased()),
        ("command_buffer.", types::COMMAND_BUFFER.erased()),
        ("fence.create", types::DEVICE.erased()),
        ("fence.", types::FENCE.erased()),
        ("executable.lookup", types::EXECUTABLE.erased()),
    ];
    let found = rows.iter().find(|(prefix, _)| name.starts_with(prefix));
    Some(found.map_or(types::DEVICE.erased(), |(_, kind)| kind))
}

fn objects(f: &mut Fixture) -> Vec<Ref> {
    let device = f.device();
    let text = |text: &str| data(text.as_bytes());
    vec![
        device.clone(),
        f.one("device.allocator 0r_r", &[Value::from(device)]),
        f.mapped(&words(&[1, 2, 3, 4])),
        f.local(4096),
        f.fence(),
        text("rocm-hsaco-fb"),
        text("hal.device.id"),
        data(&fixtures::read("gfx1100/scale_and_offset.fb")),
        data(&fixtures::read("old_gfx1100/scale_and_offset.fb")),
        vm::types::BUFFER.wrap(vm::Buffer::writable(vec![7; 32])),
    ]
}

#[test]
fn nonsense_is_refused_and_harms_nothing() {
    talk_nonsense(Fixture::new());
}

#[test]
fn nonsense_harms_nothing_on_two_queues_and_in_graphs() {
    let params = DeviceParams {
        queue_count: 2,
        command_buffer_mode: CommandBufferMode::Graph,
        ..DeviceParams::default()
    };
    talk_nonsense(Fixture::over(&params));
}

fn talk_nonsense(mut f: Fixture) {
    let mut random = Random(7);
    let signatures: Vec<_> = EXPORTS
        .iter()
        .map(|export| Signature::parse(export.signature).unwrap())
        .collect();
    let permanent = objects(&mut f);
    let mut pool = permanent.clone();
    let (mut done, mut refused) = (0, 0);
    for _ in 0..CALLS {
        let row = random.below(EXPORTS.len());
        let mut groups = Vec::new();
        let mut kinds = Vec::new();
        for item in signatures[row].args() {
            match item {
                Item::One(kind) => kinds.push(*kind),
                Item::Group(tuple) => {
                    let count = random.below(3);
                    groups.push(count as u16);
                    kinds.extend(tuple.repeat(count));
                }
            }
        }
        let mut first = first_kind(EXPORTS[row].name);
        let args: Vec<_> = kinds
            .iter()
            .map(|kind| match kind {
                Kind::I32 => Value::I32(random.pick(&NUMBERS) as i32),
                Kind::I64 => Value::I64(random.pick(&NUMBERS)),
                Kind::F32 => Value::F32(0.5),
                Kind::F64 => Value::F64(0.5),
                Kind::Ref => {
                    let wanted = first.take();
                    let fits = |object: &&Ref| wanted.is_none_or(|kind| object.kind() == kind);
                    let fitting: Vec<_> = pool.iter().filter(fits).collect();
                    match random.below(6) {
                        0 => Value::Ref(None),
                        _ if fitting.is_empty() => Value::Ref(None),
                        _ => Value::Ref(Some(random.pick(&fitting).clone())),
                    }
                }
            })
            .collect();
        let mut results = Vec::new();
        let mut call = Call::new(&args, &groups, &mut results, None);
        match FUNCTIONS[row](&mut f.module, &mut call) {
            Ok(Flow::Return | Flow::Ahead { .. }) => done += 1,
            Ok(Flow::Wait { .. }) => assert!(results.is_empty()),
            Err(_) => refused += 1,
        }
        for result in results {
            if let Value::Ref(Some(object)) = result {
                match pool.len() < OBJECTS {
                    true => pool.push(object),
                    false => {
                        let place = permanent.len() + random.below(OBJECTS - permanent.len());
                        pool[place] = object;
                    }
                }
            }
        }
    }
    assert!(
        done > CALLS / 20 && refused > CALLS / 20,
        "{done} {refused}"
    );
    // All is as it was for whoever comes next.
    drop(pool);
    super::commands::dispatches_v7(&mut f);
    super::queues::transfers(&mut f);
}
