//! Stands in for the modules that a compiled module imports from.

use std::collections::BTreeMap;

use vm::{
    BytecodeModule, Call, Code, Error, Flow, NativeExport, NativeModule, RefType, Result,
    Signature, Type,
};

/// Has every function that a module imports from one other, and all types of objects. The functions give zeros and
/// nulls, or fail.
pub(crate) struct StandIn {
    name: &'static str,
    exports: Vec<NativeExport>,
    pub(crate) fails: bool,
}

impl StandIn {
    /// One for each module that `module` imports from. What they are made of stays for ever.
    pub(crate) fn of(module: &BytecodeModule) -> Vec<Self> {
        let mut exports: BTreeMap<&str, Vec<NativeExport>> = BTreeMap::new();
        for (import, signature) in module.imports() {
            let (name, function) = import
                .name
                .split_once('.')
                .expect("a module and a function");
            exports.entry(name).or_default().push(NativeExport {
                name: function.to_owned().leak(),
                signature: signature.text().to_owned().leak(),
            });
        }
        let stand_ins = exports.into_iter().map(|(name, exports)| Self {
            name: name.to_owned().leak(),
            exports,
            fails: false,
        });
        stand_ins.collect()
    }
}

impl Clone for StandIn {
    fn clone(&self) -> Self {
        Self {
            exports: self.exports.clone(),
            ..*self
        }
    }
}

/// Stands for objects of some type.
struct Object<const N: usize>;

macro_rules! types {
    ($($number:literal $name:literal)*) => {{
        static TYPES: &[&RefType] = &[$({
            static TYPE: Type<Object<$number>> = Type::new($name);
            TYPE.erased()
        }),*];
        TYPES
    }};
}

impl NativeModule for StandIn {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        7
    }

    fn types(&self) -> &'static [&'static RefType] {
        types! {
            0 "hal.allocator" 1 "hal.buffer" 2 "hal.buffer_view" 3 "hal.channel"
            4 "hal.command_buffer" 5 "hal.descriptor_set_layout" 6 "hal.device" 7 "hal.event"
            8 "hal.executable" 9 "hal.fence" 10 "hal.file" 11 "hal.pipeline_layout"
            12 "hal.semaphore"
        }
    }

    fn exports(&self) -> &[NativeExport] {
        &self.exports
    }

    fn call(&mut self, export: usize, call: &mut Call<'_>) -> Result<Flow> {
        if self.fails {
            return Err(Error::new(Code::UNAVAILABLE, "only a stand-in"));
        }
        for kind in Signature::parse(self.exports[export].signature)?.results() {
            call.ret(kind.zero());
        }
        Ok(Flow::Return)
    }
}
