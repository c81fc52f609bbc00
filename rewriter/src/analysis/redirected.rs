//! How what was put in place of a function is called: at the start of that function, and under
//! the name of a new one in a plugin. Knows nothing of sites.

use quote::ToTokens;
use syn::{ReturnType, Signature, Type};

use super::eligibility::Kind;

/// The future that the replacement of an async fn returns. It claims every auto trait, so that the
/// function's own future has exactly those that its body gives it; who installs a replacement
/// makes sure that the claim holds wherever it matters (see the planner of async patches).
const FUTURE: &str = "::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = _> + ::std::marker::Send + ::std::marker::Sync + ::std::panic::UnwindSafe + ::std::panic::RefUnwindSafe + '_>>";

/// Calls `__soft_mock_code` in place of the function, and returns.
pub(crate) fn redirected(
    kind: Kind,
    signature: &Signature,
    core: &str,
    arguments: &[String],
) -> String {
    let unders = vec!["_"; arguments.len()].join(", ");
    let arguments = arguments.join(", ");
    let abi = signature
        .abi
        .as_ref()
        .map(|abi| abi.to_token_stream().to_string())
        .unwrap_or_default();
    let output = match &signature.output {
        ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)) => "!",
        _ => "_",
    };
    let call = |result: &str, abi: &str| {
        format!(
            "unsafe {{ {core}::mem::transmute::<unsafe fn(), unsafe {abi} fn({unders}) -> {result}>(__soft_mock_code)({arguments}) }}"
        )
    };
    match kind {
        Kind::Sync if output == "!" => format!("{};", call(output, &abi)),
        Kind::Sync => format!("return {};", call(output, &abi)),
        Kind::Async => format!(
            "let __soft_mock_future: {FUTURE} = {}; return __soft_mock_future.await;",
            call("_", "")
        ),
    }
}
