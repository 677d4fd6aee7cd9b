//! A context: modules linked with each other, and their state.

use std::collections::HashMap;
use std::sync::Arc;

use crate::list::Registry;
use crate::memory::{Account, Charge};
use crate::module::TypeName;
use crate::{
    BytecodeModule, Code, Element, Error, NativeModule, Ref, RefType, Result, Signature, types,
};

/// What programs of a context may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep calls of one invocation may nest.
    pub frames: u32,
    /// Bytes of host memory for all buffers and lists that programs make, for globals, and for stacks.
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frames: 1024,
            memory_bytes: 4 << 30,
        }
    }
}

/// A module of bytecode in a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ModuleId(pub(crate) usize);

/// A function of a linked module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    pub(crate) module: ModuleId,
    pub(crate) ordinal: u32,
}

impl Function {
    /// The module it is in.
    pub fn module(&self) -> ModuleId {
        self.module
    }

    /// Its number in the module.
    pub fn ordinal(&self) -> u32 {
        self.ordinal
    }
}

/// Linked modules and their state: what programs run in. One thread at a time; several invocations may be under way.
pub struct Context {
    pub(crate) limits: Limits,
    /// Also tells one context from another.
    pub(crate) account: Arc<Account>,
    /// In the order they came.
    order: Vec<Member>,
    pub(crate) natives: Vec<Box<dyn NativeModule>>,
    /// By [`ModuleId`]; none where a module was unlinked.
    pub(crate) modules: Vec<Option<Linked>>,
    pub(crate) trace: Option<TraceHook>,
    /// The last to be dropped: it looks for what nothing else refers to.
    pub(crate) lists: Registry,
}

/// Is given each instruction before it runs, as one line of text.
pub type TraceHook = Box<dyn FnMut(&str) + Send>;

#[derive(Clone, Copy)]
enum Member {
    Native(usize),
    Bytecode(usize),
}

/// A module of bytecode with its state.
pub(crate) struct Linked {
    pub(crate) module: Arc<BytecodeModule>,
    pub(crate) globals: Vec<u8>,
    pub(crate) global_refs: Vec<Option<Ref>>,
    pub(crate) imports: Vec<Target>,
    pub(crate) types: Vec<Element>,
    _charge: Charge,
}

/// What an import stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An optional import that nobody offers.
    Missing,
    Native {
        module: usize,
        export: usize,
    },
    Bytecode {
        module: usize,
        function: u32,
    },
}

impl Context {
    /// An empty context.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            account: Account::new(limits.memory_bytes),
            order: Vec::new(),
            natives: Vec::new(),
            modules: Vec::new(),
            trace: None,
            lists: Registry::default(),
        }
    }

    /// Adds a native module. Modules linked from now on find it before those that came earlier.
    pub fn register(&mut self, module: Box<dyn NativeModule>) {
        self.order.push(Member::Native(self.natives.len()));
        self.natives.push(module);
    }

    /// Adds a module of bytecode: finds what it needs among the modules that came before, the newest first. Does not
    /// run its [initializer](Self::initializer).
    ///
    /// # Errors
    /// `NOT_FOUND` if a module, a type or a function that it needs is missing, `FAILED_PRECONDITION` if a module is
    /// there in too old a version, `RESOURCE_EXHAUSTED` if its globals are over the limit.
    pub fn link(&mut self, module: Arc<BytecodeModule>) -> Result<ModuleId> {
        self.check_dependencies(&module)?;
        let imports = self.resolve_imports(&module)?;
        let types = self.resolve_types(&module)?;
        let container = module.module();
        let (bytes, refs) = (
            container.global_bytes as usize,
            container.global_refs as usize,
        );
        let charge = Charge::new(
            &self.account,
            (bytes + refs * size_of::<Option<Ref>>()) as u64,
        )?;
        let id = self.modules.len();
        self.modules.push(Some(Linked {
            module,
            globals: vec![0; bytes],
            global_refs: vec![None; refs],
            imports,
            types,
            _charge: charge,
        }));
        self.order.push(Member::Bytecode(id));
        Ok(ModuleId(id))
    }

    /// Removes a module and its state. Does not run its `__deinit`.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is not linked, `FAILED_PRECONDITION` if another module calls its functions.
    pub fn unlink(&mut self, id: ModuleId) -> Result<()> {
        let module = self.linked(id)?;
        let user = self.modules.iter().flatten().find(|user| {
            user.imports
                .iter()
                .any(|import| matches!(import, Target::Bytecode { module, .. } if *module == id.0))
        });
        if let Some(user) = user {
            return Err(Error::new(
                Code::FAILED_PRECONDITION,
                format!(
                    "module {} is still used by module {}",
                    module.module.name(),
                    user.module.name()
                ),
            ));
        }
        self.modules[id.0] = None;
        self.order
            .retain(|member| !matches!(member, Member::Bytecode(other) if *other == id.0));
        Ok(())
    }

    /// A linked module.
    pub fn module(&self, id: ModuleId) -> Option<&Arc<BytecodeModule>> {
        Some(&self.modules.get(id.0)?.as_ref()?.module)
    }

    /// The newest linked module of this name.
    pub fn find(&self, name: &str) -> Option<ModuleId> {
        self.order.iter().rev().find_map(|member| match *member {
            Member::Bytecode(id) => {
                (self.module(ModuleId(id))?.name() == name).then_some(ModuleId(id))
            }
            Member::Native(_) => None,
        })
    }

    /// The function that a module exports under this name.
    pub fn lookup(&self, module: ModuleId, export: &str) -> Option<Function> {
        let ordinal = self.module(module)?.export(export)?;
        Some(Function { module, ordinal })
    }

    /// The functions that a module exports, with their names. None if it is not linked.
    pub fn functions(&self, module: ModuleId) -> impl Iterator<Item = (&str, Function)> {
        let exports = self
            .module(module)
            .map_or(&[][..], |it| &it.module().exports);
        exports.iter().map(move |export| {
            let ordinal = export.function;
            (export.name.as_str(), Function { module, ordinal })
        })
    }

    /// The function that must run once, before any other of the module, if it has one.
    pub fn initializer(&self, module: ModuleId) -> Option<Function> {
        self.lookup(module, "__init")
    }

    /// What a function takes and gives.
    ///
    /// # Panics
    /// If its module was unlinked.
    pub fn signature(&self, function: Function) -> &Signature {
        self.module(function.module)
            .and_then(|module| module.signature(function.ordinal))
            .expect("the function's module is linked in this context")
    }

    /// Bytes of host memory that programs of this context use now.
    pub fn memory_used(&self) -> u64 {
        self.account.used()
    }

    /// Has each instruction written as text before it runs, or no longer.
    pub fn set_trace(&mut self, hook: Option<TraceHook>) {
        self.trace = hook;
    }

    pub(crate) fn linked(&self, id: ModuleId) -> Result<&Linked> {
        self.modules
            .get(id.0)
            .and_then(Option::as_ref)
            .ok_or_else(|| Error::new(Code::NOT_FOUND, "the module is not linked in this context"))
    }

    fn name_and_version(&self, member: Member) -> (&str, u32) {
        match member {
            Member::Native(index) => {
                let module = &self.natives[index];
                (module.name(), module.version())
            }
            Member::Bytecode(id) => match &self.modules[id] {
                Some(linked) => (linked.module.name(), linked.module.module().version),
                None => ("", 0),
            },
        }
    }

    fn check_dependencies(&self, module: &BytecodeModule) -> Result<()> {
        for dependency in &module.module().dependencies {
            let versions = self.order.iter().filter_map(|&member| {
                let (name, version) = self.name_and_version(member);
                (name == dependency.name).then_some(version)
            });
            match versions.max() {
                Some(version) if version >= dependency.minimum_version => {}
                None if dependency.is_optional => {}
                Some(version) => {
                    return Err(Error::new(
                        Code::FAILED_PRECONDITION,
                        format!(
                            "module {} needs module {} in version {} or newer, here is version {version}",
                            module.name(),
                            dependency.name,
                            dependency.minimum_version
                        ),
                    ));
                }
                None => {
                    return Err(Error::new(
                        Code::NOT_FOUND,
                        format!(
                            "module {} needs module {}, which is not loaded",
                            module.name(),
                            dependency.name
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    fn resolve_imports(&self, module: &BytecodeModule) -> Result<Vec<Target>> {
        let exports = self.exports();
        module
            .imports()
            .map(|(import, signature)| {
                let found = exports
                    .get(import.name.as_str())
                    .into_iter()
                    .flatten()
                    .find(|(text, _)| *text == signature.text());
                match found {
                    Some((_, target)) => Ok(*target),
                    None if import.is_optional => Ok(Target::Missing),
                    None => Err(missing_import(
                        module,
                        &import.name,
                        signature,
                        exports.get(import.name.as_str()),
                    )),
                }
            })
            .collect()
    }

    /// What can be imported, by name with the module's, the newest first: calling convention and where it is.
    fn exports(&self) -> HashMap<String, Vec<(&str, Target)>> {
        let mut exports: HashMap<String, Vec<_>> = HashMap::new();
        for &member in self.order.iter().rev() {
            let (module_name, _) = self.name_and_version(member);
            let mut add = |name: &str, signature, target| {
                let full = format!("{module_name}.{name}");
                exports.entry(full).or_default().push((signature, target));
            };
            match member {
                Member::Native(module) => {
                    for (export, it) in self.natives[module].exports().iter().enumerate() {
                        add(it.name, it.signature, Target::Native { module, export });
                    }
                }
                Member::Bytecode(id) => {
                    let Some(linked) = &self.modules[id] else {
                        continue;
                    };
                    let functions = linked.module.module().exports.iter();
                    for (export, (name, signature)) in functions.zip(linked.module.exports()) {
                        let target = Target::Bytecode {
                            module: id,
                            function: export.function,
                        };
                        add(name, signature.text(), target);
                    }
                }
            }
        }
        exports
    }

    fn resolve_types(&self, module: &BytecodeModule) -> Result<Vec<Element>> {
        let find = |name: &str| -> Option<&'static RefType> {
            [types::BUFFER.erased(), types::LIST.erased()]
                .into_iter()
                .chain(
                    self.natives
                        .iter()
                        .rev()
                        .flat_map(|native| native.types().iter().copied()),
                )
                .find(|known| known.name() == name)
        };
        module
            .types
            .iter()
            .map(|name| match name {
                TypeName::Known(element) => Ok(*element),
                TypeName::Object(name) => match find(name) {
                    Some(known) => Ok(Element::Ref(known)),
                    None => Err(Error::new(
                        Code::NOT_FOUND,
                        format!(
                            "module {} uses objects of type {}, which no loaded module has",
                            module.name(),
                            name.escape_debug()
                        ),
                    )),
                },
            })
            .collect()
    }
}

fn missing_import(
    module: &BytecodeModule,
    name: &str,
    signature: &Signature,
    others: Option<&Vec<(&str, Target)>>,
) -> Error {
    let why = match others {
        Some(others) => {
            let found: Vec<_> = others.iter().map(|(text, _)| *text).collect();
            format!(
                "which is here only with the calling convention {}",
                found.join(" or ")
            )
        }
        None => "which no loaded module offers".to_owned(),
    };
    Error::new(
        Code::NOT_FOUND,
        format!(
            "module {} calls {} ({signature}), {why}",
            module.name(),
            name.escape_debug()
        ),
    )
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.order.iter().map(|&it| self.name_and_version(it).0);
        f.debug_list().entries(names).finish()
    }
}
