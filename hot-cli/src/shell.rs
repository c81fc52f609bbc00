//! What shells and `man` are told of `hot`'s commands: completions and manual pages, made from the
//! tree of commands.
//!
//! Knows nothing of which commands there are.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Arg, Args, Command};
use clap_complete::Shell;

/// The program whose commands they are.
const NAME: &str = "hot";

/// A script by which a shell completes hot's commands and options
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// For which shell
    shell: Shell,
}

/// Writes manual pages, one for hot and one for each of its commands
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder for them, which is made; `man` looks into share/man/man1
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(crate) fn completions(args: &CompletionsArgs, mut hot: Command) -> Result<String> {
    hot.build();
    let names: Vec<&str> = hot.get_subcommands().map(Command::get_name).collect();
    let names = names.join(" ");
    let mut tree = without_positionals(&hot);
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tree, NAME, &mut script);
    let script = String::from_utf8(script).context("the script isn't text")?;
    Ok(match args.shell {
        Shell::Zsh => zsh(script, &hot),
        Shell::Fish => fish(script, &hot, &names),
        _ => script,
    })
}

/// The same commands and options, without the words of the user's command: scripts would take the
/// name of a command of ours for the first of those.
fn without_positionals(hot: &Command) -> Command {
    let options = hot.get_arguments().filter(|arg| !arg.is_positional());
    let options = options.filter(|arg| !is_built_in(arg));
    let commands = hot.get_subcommands();
    Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .args(options)
        .subcommands(commands.filter(|command| command.get_name() != "help"))
}

/// Whether clap adds it by itself.
fn is_built_in(arg: &Arg) -> bool {
    ["help", "version"].contains(&arg.get_id().as_str())
}

/// Options whose value may be left out: it follows `=`, and the next word is something else.
fn with_optional_value(hot: &Command) -> impl Iterator<Item = (Option<char>, &str)> {
    let options = hot.get_arguments().filter(|arg| {
        let takes = arg.get_num_args();
        takes.is_some_and(|takes| takes.min_values() == 0 && takes.takes_values())
    });
    options.filter_map(|arg| Some((arg.get_short(), arg.get_long()?)))
}

/// Completes the user's command as that is completed by itself.
fn zsh(mut script: String, hot: &Command) -> String {
    for (short, long) in with_optional_value(hot) {
        script = script.replacen(&format!("'--{long}=["), &format!("'--{long}=-["), 1);
        if let Some(short) = short {
            script = script.replacen(&format!("'-{short}+["), &format!("'-{short}-["), 1);
        }
    }
    script = script.replacen(
        "\":: :_hot_commands\"",
        "\":: :{ _hot_commands; _command_names -e }\"",
        1,
    );
    let end = "        esac\n    ;;\nesac\n}\n";
    script.replacen(end, &format!("            (*)\n_normal\n;;\n{end}"), 1)
}

/// The same for fish, which isn't told of values that may be left out.
fn fish(mut script: String, hot: &Command, names: &str) -> String {
    for (short, long) in with_optional_value(hot) {
        let option = short.map_or_else(|| long.to_owned(), |short| format!("{short}/{long}"));
        script = script.replacen(&format!(" {option}="), &format!(" '{option}=?'"), 1);
    }
    // An option that waits for its value stands before a command.
    script = script.replacen(
        "2>/dev/null\n    or return\n",
        "2>/dev/null\n    or return 0\n",
        1,
    );
    script = script.replace(" -r -f -a \"true\\t''\nfalse\\t''\"", "");
    script
        + &format!(
            "complete -c hot -n \"not __fish_hot_using_subcommand {names}\" -x -a \
             \"(__fish_complete_subcommand)\"\n"
        )
}

/// The paths of the pages.
pub(crate) fn man(args: &ManArgs, hot: Command) -> Result<String> {
    let folder = &args.folder;
    let write = || {
        fs::create_dir_all(folder)?;
        clap_mangen::generate_to(hot, folder)
    };
    write().with_context(|| format!("can't write manual pages into {}", folder.display()))?;
    Ok(format!("{}\n", folder.join("hot.1").display()))
}
