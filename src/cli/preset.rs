//! Arguments that the environment gives to commands: `ISOBAR_CLI_ARGS` to all of them,
//! `ISOBAR_CLI_ARGS_plan` to one, `ISOBAR_CLI_ARGS_state_list` to one below another.

use std::collections::BTreeMap;
use std::ffi::OsString;

use isobar_sdk::{Diagnostic, Fault};

/// What stands before the name of the command in a variable.
const VARIABLE: &str = "ISOBAR_CLI_ARGS";

/// Puts the arguments of the environment, which `presets` holds by the name of their variable,
/// behind the name of the command, so that those of the command line come last and win.
///
/// # Errors
/// A variable whose quotes are not closed.
pub(super) fn insert(
    arguments: Vec<OsString>,
    program: &clap::Command,
    presets: &BTreeMap<String, String>,
) -> Result<Vec<OsString>, Fault> {
    let Some((position, name)) = command(&arguments, program) else {
        return Ok(arguments);
    };
    let mut all = arguments;
    let rest = all.split_off(position);
    for variable in [VARIABLE.to_owned(), format!("{VARIABLE}_{name}")] {
        if let Some(text) = presets.get(&variable) {
            all.extend(words(&variable, text)?.into_iter().map(OsString::from));
        }
    }
    all.extend(rest);
    Ok(all)
}

fn words(variable: &str, text: &str) -> Result<Vec<String>, Fault> {
    shlex::split(text).ok_or_else(|| {
        let detail = format!("{variable} cannot be read as arguments: {text}");
        Diagnostic::error("C0055", "Invalid variable of the environment", detail)
            .help("Close all quotes, as a shell wants them.")
            .into()
    })
}

/// Where the name of the command ends, and the name with those of the commands around it.
fn command(arguments: &[OsString], program: &clap::Command) -> Option<(usize, String)> {
    let mut found: Option<(usize, Vec<String>)> = None;
    let mut around = program;
    let mut value_next = false;
    for (position, argument) in arguments.iter().enumerate() {
        let text = argument.to_str()?;
        if std::mem::take(&mut value_next) {
            continue;
        }
        if let Some(flag) = text.strip_prefix('-') {
            value_next = takes_next(around, program, flag.trim_start_matches('-'));
            continue;
        }
        let Some(inner) = around.find_subcommand(text) else {
            break;
        };
        around = inner;
        let mut names = found.map_or_else(Vec::new, |(_, names)| names);
        names.push(inner.get_name().replace('-', "_"));
        found = Some((position + 1, names));
    }
    found.map(|(position, names)| (position, names.join("_")))
}

/// Whether a flag takes the next argument as its value.
fn takes_next(command: &clap::Command, program: &clap::Command, flag: &str) -> bool {
    let mut all = command.get_arguments().chain(program.get_arguments());
    all.any(|argument| {
        argument.get_long() == Some(flag)
            && argument.get_action().takes_values()
            && !argument.is_require_equals_set()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    use super::insert;

    fn program() -> clap::Command {
        let list = clap::Command::new("list").arg(clap::Arg::new("id").long("id"));
        let state = clap::Command::new("state").subcommand(list);
        clap::Command::new("isobar")
            .arg(clap::Arg::new("chdir").long("chdir"))
            .subcommand(clap::Command::new("plan").arg(clap::Arg::new("file")))
            .subcommand(state)
    }

    fn inserted(given: &str, presets: &[(&str, &str)]) -> String {
        let words: Vec<OsString> = given.split(' ').map(Into::into).collect();
        let presets: BTreeMap<String, String> = presets
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let all = insert(words, &program(), &presets).unwrap();
        let all: Vec<&str> = all.iter().map(|word| word.to_str().unwrap()).collect();
        all.join("|")
    }

    #[test]
    fn they_stand_behind_the_command() {
        let presets = [
            ("ISOBAR_CLI_ARGS", "-no-color"),
            ("ISOBAR_CLI_ARGS_plan", "-var 'a=b c'"),
            ("ISOBAR_CLI_ARGS_state_list", "-id=1"),
        ];
        for (given, expected) in [
            ("plan -json", "plan|-no-color|-var|a=b c|-json"),
            (
                "--chdir plan plan x",
                "--chdir|plan|plan|-no-color|-var|a=b c|x",
            ),
            (
                "--chdir=plan state list x",
                "--chdir=plan|state|list|-no-color|-id=1|x",
            ),
            ("state list", "state|list|-no-color|-id=1"),
            ("--help", "--help"),
            ("plam", "plam"),
        ] {
            assert_eq!(inserted(given, &presets), expected, "{given}");
        }
    }

    #[test]
    fn open_quotes_are_refused() {
        let presets = [("ISOBAR_CLI_ARGS".to_owned(), "'a".to_owned())].into();
        let fault = insert(vec!["plan".into()], &program(), &presets).unwrap_err();
        assert_eq!(fault.code, "C0055");
    }
}
