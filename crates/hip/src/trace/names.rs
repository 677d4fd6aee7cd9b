//! Short, stable names for what a trace mentions.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ptr::NonNull;

use crate::{
    ContextHandle, DevicePtr, EventHandle, FunctionHandle, GraphExecHandle, GraphHandle,
    GraphNodeHandle, HostMallocFlags, LaunchConfig, MemPoolHandle, ModuleHandle, StreamHandle,
};

/// Names by handle and by address. A handle met for the first time gets the
/// next number of its kind; numbers are never used twice.
#[derive(Default)]
pub(super) struct Names {
    by_handle: HashMap<(char, usize), String>,
    next: HashMap<char, u32>,
    memory: BTreeMap<u64, Memory>,
    nodes: HashMap<GraphHandle, Vec<GraphNodeHandle>>,
    functions: HashMap<ModuleHandle, Vec<FunctionHandle>>,
}

struct Memory {
    name: String,
    bytes: u64,
    /// For host memory that the device sees elsewhere: that other address.
    alias: Option<u64>,
}

macro_rules! handle_names {
    ($($letter:literal $name:ident $handle:ident $null:literal;)*) => {$(
        pub(super) fn $name(&mut self, handle: $handle) -> String {
            if handle.0 == 0 {
                return $null.to_owned();
            }
            self.handle($letter, handle.0)
        }
    )*};
}

macro_rules! handle_removals {
    ($($letter:literal $remove:ident $name:ident $handle:ident;)*) => {$(
        /// The name, which is then forgotten: the provider may reuse the handle.
        pub(super) fn $remove(&mut self, handle: $handle) -> String {
            let name = self.$name(handle);
            self.by_handle.remove(&($letter, handle.0));
            name
        }
    )*};
}

impl Names {
    handle_names! {
        'c' context ContextHandle "no context";
        's' stream StreamHandle "default stream";
        'e' event EventHandle "null";
        'm' module ModuleHandle "null";
        'f' function FunctionHandle "null";
        'g' graph GraphHandle "null";
        'n' node GraphNodeHandle "null";
        'x' exec GraphExecHandle "null";
        'q' pool MemPoolHandle "null";
    }

    handle_removals! {
        's' remove_stream stream StreamHandle;
        'e' remove_event event EventHandle;
        'x' remove_exec exec GraphExecHandle;
        'q' remove_pool pool MemPoolHandle;
    }

    fn handle(&mut self, letter: char, handle: usize) -> String {
        if let Some(name) = self.by_handle.get(&(letter, handle)) {
            return name.clone();
        }
        let name = self.fresh(letter);
        self.by_handle.insert((letter, handle), name.clone());
        name
    }

    fn fresh(&mut self, letter: char) -> String {
        let next = self.next.entry(letter).or_default();
        let name = format!("{letter}{next}");
        *next += 1;
        name
    }

    /// Names a function by number and by the name it was looked up by.
    pub(super) fn name_function(
        &mut self,
        module: ModuleHandle,
        function: FunctionHandle,
        name: &str,
    ) -> String {
        if !self.by_handle.contains_key(&('f', function.0)) {
            let short = self.fresh('f');
            self.by_handle
                .insert(('f', function.0), format!("{short} {name:?}"));
            self.functions.entry(module).or_default().push(function);
        }
        self.function(function)
    }

    /// Gives a bound function the name of the function.
    pub(super) fn bind_function(&mut self, function: FunctionHandle, bound: FunctionHandle) {
        let name = self.function(function);
        self.by_handle.insert(('f', bound.0), name);
    }

    pub(super) fn unbind_function(&mut self, bound: FunctionHandle) {
        self.by_handle.remove(&('f', bound.0));
    }

    /// The name, which is then forgotten with those of its functions.
    pub(super) fn remove_module(&mut self, module: ModuleHandle) -> String {
        for function in self.functions.remove(&module).unwrap_or_default() {
            self.by_handle.remove(&('f', function.0));
        }
        let name = self.module(module);
        self.by_handle.remove(&('m', module.0));
        name
    }

    pub(super) fn add_node(&mut self, graph: GraphHandle, node: GraphNodeHandle) -> String {
        self.nodes.entry(graph).or_default().push(node);
        self.node(node)
    }

    /// The name, which is then forgotten with those of its nodes.
    pub(super) fn remove_graph(&mut self, graph: GraphHandle) -> String {
        for node in self.nodes.remove(&graph).unwrap_or_default() {
            self.by_handle.remove(&('n', node.0));
        }
        let name = self.graph(graph);
        self.by_handle.remove(&('g', graph.0));
        name
    }

    /// Where a node is added: the graph and what the node comes after.
    pub(super) fn node_place(
        &mut self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
    ) -> String {
        let after: Vec<String> = dependencies.iter().map(|node| self.node(*node)).collect();
        format!("{}, after [{}]", self.graph(graph), after.join(", "))
    }

    pub(super) fn device_memory(&mut self, ptr: DevicePtr, bytes: u64) -> String {
        self.add_memory('p', ptr.0, bytes)
    }

    pub(super) fn host_memory(&mut self, ptr: NonNull<u8>, bytes: u64) -> String {
        self.add_memory('h', ptr.addr().get() as u64, bytes)
    }

    fn add_memory(&mut self, letter: char, address: u64, bytes: u64) -> String {
        let name = self.fresh(letter);
        let memory = Memory {
            name: name.clone(),
            bytes,
            alias: None,
        };
        self.memory.insert(address, memory);
        name
    }

    /// Gives the device's address of host memory the same name as the host's.
    pub(super) fn alias(&mut self, host: NonNull<u8>, device: DevicePtr) {
        let host = host.addr().get() as u64;
        if device.0 == host {
            return;
        }
        if let Some(memory) = self.memory.get_mut(&host) {
            memory.alias = Some(device.0);
            let twin = Memory {
                name: memory.name.clone(),
                bytes: memory.bytes,
                alias: None,
            };
            self.memory.insert(device.0, twin);
        }
    }

    /// The name of the allocation, which is then forgotten.
    pub(super) fn remove_memory(&mut self, address: u64) -> String {
        let name = self.address(address);
        if let Some(alias) = self.memory.remove(&address).and_then(|gone| gone.alias) {
            self.memory.remove(&alias);
        }
        name
    }

    /// An address as an offset in a known allocation, or as a number.
    pub(super) fn address(&self, address: u64) -> String {
        self.known(address)
            .unwrap_or_else(|| format!("{address:#x}"))
    }

    fn known(&self, address: u64) -> Option<String> {
        let (base, memory) = self.memory.range(..=address).next_back()?;
        match address - base {
            0 => Some(memory.name.clone()),
            offset if offset < memory.bytes => Some(format!("{}+{offset:#x}", memory.name)),
            _ => None,
        }
    }

    pub(super) fn fill(
        &mut self,
        element: &str,
        dst: DevicePtr,
        value: u32,
        count: u64,
        stream: StreamHandle,
    ) -> String {
        let (dst, stream) = (self.address(dst.0), self.stream(stream));
        format!("hipMemset{element}Async({dst}, {value:#x}, {count}, {stream})")
    }
}

/// A kernel argument segment as the words it most likely holds: addresses in
/// known allocations by name, all else as 32-bit numbers.
pub(super) struct Kernarg<'a>(pub(super) &'a Names, pub(super) &'a [u8]);

impl fmt::Display for Kernarg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(names, bytes) = *self;
        let mut offset = 0;
        f.write_str("[")?;
        while offset < bytes.len() {
            if offset > 0 {
                f.write_str(", ")?;
            }
            let rest = &bytes[offset..];
            let pointer = rest
                .first_chunk()
                .filter(|_| offset.is_multiple_of(8))
                .and_then(|word| names.known(u64::from_le_bytes(*word)));
            if let Some(name) = pointer {
                f.write_str(&name)?;
                offset += 8;
            } else if let Some(word) = rest.first_chunk() {
                write!(f, "{:#x}", u32::from_le_bytes(*word))?;
                offset += 4;
            } else {
                write!(f, "{:#04x}", rest[0])?;
                offset += 1;
            }
        }
        f.write_str("]")
    }
}

pub(super) fn flag_list(bits: u32, names: &[(u32, &str)]) -> String {
    let mut list: Vec<String> = Vec::new();
    let mut rest = bits;
    for (bit, name) in names {
        if rest & bit != 0 {
            list.push((*name).to_owned());
            rest &= !bit;
        }
    }
    if rest != 0 {
        list.push(format!("{rest:#x}"));
    }
    if list.is_empty() {
        "Default".to_owned()
    } else {
        list.join("|")
    }
}

pub(super) fn host_flags(flags: HostMallocFlags) -> String {
    flag_list(
        flags.0,
        &[(1, "Portable"), (2, "Mapped"), (4, "WriteCombined")],
    )
}

pub(super) fn launch_shape(config: &LaunchConfig) -> String {
    let LaunchConfig {
        grid,
        block,
        shared_memory_bytes,
    } = config;
    format!(
        "grid {}x{}x{}, block {}x{}x{}, lds {shared_memory_bytes}",
        grid.x, grid.y, grid.z, block.x, block.y, block.z
    )
}
