//! The whole command line in one snapshot: every change of a command, an option or its help shows in the diff.

/// The help of a command and of everything below it.
fn help(command: &mut clap::Command, path: &str, out: &mut String) {
    out.push_str(&format!("==== {path}\n{}\n", command.render_long_help()));
    for sub in command.get_subcommands_mut() {
        let name = sub.get_name().to_owned();
        help(sub, &format!("{path} {name}"), out);
    }
}

#[test]
fn the_whole_command_line() {
    let mut command = max_app::cli::command().term_width(110);
    command.build();
    let mut text = String::new();
    help(&mut command, "max", &mut text);
    // The options that every command takes are said once, at the top.
    insta::assert_snapshot!(without_repeated_globals(&text));
}

#[test]
fn every_command_shows_an_example() {
    fn check(command: &clap::Command, path: &str) {
        let below: Vec<_> = command.get_subcommands().collect();
        if below.is_empty() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "`{path}` shows no example");
        }
        for sub in below {
            check(sub, &format!("{path} {}", sub.get_name()));
        }
    }
    check(&max_app::cli::command(), "max");
}

fn without_repeated_globals(text: &str) -> String {
    let mut out = String::new();
    for (index, page) in text.split("==== ").skip(1).enumerate() {
        let page = match (index, page.split_once("Everywhere:")) {
            (0, _) | (_, None) => page.to_owned(),
            (_, Some((before, after))) => {
                let rest = after.split_once("\n\n").and_then(|_| after.rfind("\n\nExample").map(|at| &after[at..]));
                format!("{before}{}", rest.unwrap_or("\n").trim_start())
            }
        };
        out.push_str(&format!("==== {}\n\n", page.trim_end()));
    }
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
