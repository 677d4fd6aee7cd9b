//! Tables of the C functions that a library is asked for, a row a symbol: what
//! a row is, and what is made of a table.

use crate::{Code, Error, Result};

/// One row of a table of C functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolRow {
    /// C names in order of preference; all have the same signature.
    pub names: &'static [&'static str],
    /// What becomes of a library that has none of them.
    pub need: Need,
}

/// What a missing symbol means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The library cannot be used, unless it has a fallback for the symbol.
    Required,
    /// The calls that need it answer `hipErrorNotSupported`.
    Optional,
    /// It is called only where the named symbol is missing.
    FallbackFor(&'static str),
    /// Never looked up, for this reason; listed because other programs use it.
    Unused(&'static str),
}

/// The function behind a row, if the library has it.
pub(crate) struct Symbol<F> {
    pub(crate) function: Option<F>,
    pub(crate) name: &'static str,
    pub(crate) row: &'static SymbolRow,
}

impl<F: Copy> Symbol<F> {
    /// The function and the C name it was found under.
    pub(crate) fn get(&self, library: &str) -> Result<(F, &'static str)> {
        match self.function {
            Some(function) => Ok((function, self.name)),
            None => Err(self.missing(library)),
        }
    }

    pub(crate) fn is_present(&self) -> bool {
        self.function.is_some()
    }

    #[cold]
    fn missing(&self, library: &str) -> Error {
        let names = self.row.names.join(" nor ");
        Error::with_detail(
            Code::NOT_SUPPORTED,
            self.name,
            format!("{library} has no {names}"),
        )
    }
}

/// Makes the list of rows, the struct that holds the functions of one library,
/// a field a row, and the look-up of all of them.
macro_rules! symbols {
    (
        $(#[$doc:meta])* $list:ident;
        $($need:ident $(($of:literal))? $field:ident [$($name:literal),+]
            ($($arg:ty),* $(,)?) $(-> $ret:ty)?;)*
        => unused { $($unused:literal: $reason:literal;)* }
    ) => {
        $(#[$doc])*
        pub const $list: &[SymbolRow] = &[
            $(SymbolRow { names: &[$($name),+], need: $crate::symbols::symbols!(@need $need $($of)?) },)*
            $(SymbolRow { names: &[$unused], need: Need::Unused($reason) },)*
        ];

        /// The functions of one library.
        pub(crate) struct Symbols {
            $(pub(crate) $field: Symbol<unsafe extern "C" fn($($arg),*) -> $crate::symbols::symbols!(@ret $($ret)?)>,)*
        }

        impl Symbols {
            /// Looks up every row with `find`; fails with the names of all
            /// required symbols that are missing.
            ///
            /// # Safety
            ///
            /// `find` gives addresses of functions of the library that have these names.
            pub(crate) unsafe fn load(
                find: impl Fn(&str) -> Option<*const c_void>,
            ) -> std::result::Result<Self, Vec<&'static str>> {
                let mut rows = $list.iter();
                let symbols = Self {
                    $($field: {
                        let row = rows.next().expect("a row a field");
                        let found = row.names.iter().find_map(|name| Some((*name, find(name)?)));
                        Symbol {
                            // SAFETY: a function of this C name has this C type.
                            function: found.map(|(_, address)| unsafe {
                                std::mem::transmute::<
                                    *const c_void,
                                    unsafe extern "C" fn($($arg),*) -> $crate::symbols::symbols!(@ret $($ret)?),
                                >(address)
                            }),
                            name: found.map_or(row.names[0], |(name, _)| name),
                            row,
                        }
                    },)*
                };
                let present = [$(symbols.$field.is_present()),*];
                let missing = missing_required($list, &present);
                if missing.is_empty() { Ok(symbols) } else { Err(missing) }
            }
        }
    };
    (@need required) => { Need::Required };
    (@need optional) => { Need::Optional };
    (@need fallback $of:literal) => { Need::FallbackFor($of) };
    (@ret) => { c_int };
    (@ret $ret:ty) => { $ret };
}
pub(crate) use symbols;

/// The required symbols that are neither present nor replaced by a fallback.
/// `present` is by row.
pub(crate) fn missing_required(table: &[SymbolRow], present: &[bool]) -> Vec<&'static str> {
    let replaced = |name: &str| {
        let mut rows = table.iter().zip(present);
        rows.any(|(row, present)| {
            *present && matches!(row.need, Need::FallbackFor(of) if of == name)
        })
    };
    table
        .iter()
        .zip(present)
        .filter(|(row, present)| row.need == Need::Required && !**present)
        .map(|(row, _)| row.names[0])
        .filter(|name| !replaced(name))
        .collect()
}
