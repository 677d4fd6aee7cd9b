//! A module of bytecode: read, verified, and never changed again.

use bytes::Bytes;
use vmfb::ErrorKind;
use vmfb::module::Module;

use crate::program::Body;
use crate::verify::{Environment, verify};
use crate::{Buffer, Code, Element, Error, Kind, Ref, Result, Signature, types};

/// A module of bytecode, verified. Put it into an `Arc` and link it into any number of contexts.
pub struct BytecodeModule {
    file: Bytes,
    module: Module,
    imports: Vec<Signature>,
    pub(crate) types: Vec<TypeName>,
    /// One buffer for each data segment, over the bytes of the file.
    pub(crate) rodata: Vec<Ref>,
    pub(crate) bodies: Vec<Body>,
    /// The name of each function that is exported.
    names: Vec<Option<String>>,
}

/// A type that instructions name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TypeName {
    /// Every context knows it.
    Known(Element),
    /// Some module of the context must bring it.
    Object(String),
}

impl TypeName {
    fn new(name: &str) -> Self {
        Self::Known(match name {
            "i8" => Element::I8,
            "i16" => Element::I16,
            "i32" => Element::Kind(Kind::I32),
            "i64" => Element::Kind(Kind::I64),
            "f32" => Element::Kind(Kind::F32),
            "f64" => Element::Kind(Kind::F64),
            "vm.ref" => Element::Kind(Kind::Ref),
            "vm.opaque" | "opaque" => Element::Any,
            "vm.buffer" => Element::Ref(types::BUFFER.erased()),
            "vm.list" => Element::Ref(types::LIST.erased()),
            name => return Self::Object(name.to_owned()),
        })
    }

    /// Whether it is a type of values, so that no reference is of it.
    fn is_value(&self) -> bool {
        !matches!(
            self,
            Self::Object(_)
                | Self::Known(Element::Any | Element::Ref(_) | Element::Kind(Kind::Ref))
        )
    }
}

impl BytecodeModule {
    /// Reads and verifies a module. The file stays shared: data segments are used in place.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if the file contradicts itself or its bytecode is not safe to run, `OUT_OF_RANGE` if it is
    /// cut short, `INCOMPATIBLE` if it is of an unknown version, `RESOURCE_EXHAUSTED` if it asks for more than a sane
    /// program does.
    pub fn load(file: Bytes) -> Result<Self> {
        let module = Module::parse(&file).map_err(unreadable)?;
        check_signatures(&module, file.len())?;
        let mut imports = Vec::with_capacity(module.imports.len());
        for import in &module.imports {
            imports.push(
                Signature::parse(&import.calling_convention).map_err(|error| {
                    Error::new(
                        error.code(),
                        format!(
                            "module {}, import {}: {}",
                            module.name.escape_debug(),
                            import.name.escape_debug(),
                            error.message()
                        ),
                    )
                })?,
            );
        }
        let types: Vec<_> = module
            .types
            .iter()
            .map(|name| TypeName::new(name))
            .collect();
        let value_types: Vec<_> = types.iter().map(TypeName::is_value).collect();
        let bodies = verify(&Environment {
            file: &file,
            module: &module,
            imports: &imports,
            value_types: &value_types,
        })?;
        let rodata = module
            .rodata
            .iter()
            .map(|segment| {
                let bytes = file.slice(segment.range.clone());
                types::BUFFER.wrap(Buffer::read_only(bytes))
            })
            .collect();
        let mut names = vec![None; bodies.len()];
        for export in &module.exports {
            names[export.function as usize].get_or_insert_with(|| export.name.clone());
        }
        Ok(Self {
            file,
            module,
            imports,
            types,
            rodata,
            bodies,
            names,
        })
    }

    /// Its name, usually `module`.
    pub fn name(&self) -> &str {
        &self.module.name
    }

    /// What its container says.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The file it was read from.
    pub fn file(&self) -> &Bytes {
        &self.file
    }

    /// The functions it offers: name and signature.
    pub fn exports(&self) -> impl Iterator<Item = (&str, &Signature)> {
        self.module.exports.iter().map(|export| {
            let signature = self.signature(export.function);
            (
                export.name.as_str(),
                signature.expect("the export was checked"),
            )
        })
    }

    /// The functions it calls, with their signatures.
    pub fn imports(&self) -> impl Iterator<Item = (&vmfb::module::Import, &Signature)> {
        self.module.imports.iter().zip(&self.imports)
    }

    /// The signature of function number `function` of [`Module::functions`].
    pub fn signature(&self, function: u32) -> Option<&Signature> {
        Some(&self.bodies.get(function as usize)?.signature)
    }

    /// The number of the function that is exported under this name.
    pub fn export(&self, name: &str) -> Option<u32> {
        let export = self.module.exports.iter().find(|e| e.name == name)?;
        Some(export.function)
    }

    /// The name under which function number `function` is exported.
    pub fn function_name(&self, function: u32) -> Option<&str> {
        self.names.get(function as usize)?.as_deref()
    }

    /// The bytecode of a function.
    pub(crate) fn bytecode(&self, function: u32) -> &[u8] {
        &self.file[self.module.functions[function as usize].bytecode.clone()]
    }
}

impl std::fmt::Debug for BytecodeModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "BytecodeModule({}, {} functions)",
            self.name(),
            self.bodies.len()
        )
    }
}

/// A letter of a signature takes many times its byte when it is read. Nothing in the format keeps a long one from being
/// that of every function, so how many there are in all is bounded by what a file has room for, and some more.
fn check_signatures(module: &Module, file_bytes: usize) -> Result<()> {
    let limit = (1 << 16) + 2 * file_bytes;
    let functions = module.functions.iter().map(|f| f.calling_convention.len());
    let imports = module.imports.iter().map(|i| i.calling_convention.len());
    let letters: usize = functions.chain(imports).sum();
    match letters <= limit {
        true => Ok(()),
        false => Err(Error::new(
            Code::RESOURCE_EXHAUSTED,
            format!(
                "module {} has {letters} letters of calling conventions in a file of {file_bytes} bytes",
                module.name.escape_debug()
            ),
        )),
    }
}

fn unreadable(error: vmfb::Error) -> Error {
    let code = match error.kind() {
        ErrorKind::Truncated => Code::OUT_OF_RANGE,
        ErrorKind::Incompatible => Code::INCOMPATIBLE,
        ErrorKind::LimitExceeded => Code::RESOURCE_EXHAUSTED,
        _ => Code::INVALID_ARGUMENT,
    };
    Error::with_cause(code, "the module cannot be read", error)
}
