//! Shows that the program speaks over whatever the editor connects to its standard streams.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
const LIST: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;

fn program(input: impl Into<Stdio>, output: impl Into<Stdio>) -> Child {
    Command::new(env!("CARGO_BIN_EXE_aic-mcp")).stdin(input).stdout(output).spawn().unwrap()
}

/// Opens the conversation, asks for a long answer, leaves.
fn converse(child: &mut Child, mut input: impl Write, output: impl Read) {
    let mut lines = BufReader::new(output).lines().map(Result::unwrap);
    writeln!(input, "{INITIALIZE}\n{LIST}").unwrap();
    let answers: Vec<String> = lines.by_ref().take(2).collect();
    drop(input);

    assert!(answers[0].contains("aic-mcp") && answers[1].contains("getManagedObject"), "{answers:?}");
    assert_eq!(lines.next(), None);
    assert!(child.wait().unwrap().success());
}

#[test]
fn two_sockets_are_spoken_over() {
    let ((input, theirs), (output, their_output)) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
    let mut child = program(OwnedFd::from(theirs), OwnedFd::from(their_output));

    converse(&mut child, input, output);
}

/// The writing half of a socket: its end is the end of the input.
struct Half(UnixStream);

impl Write for Half {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        self.0.write(part)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
impl Drop for Half {
    fn drop(&mut self) {
        self.0.shutdown(std::net::Shutdown::Write).unwrap();
    }
}

#[test]
fn one_socket_for_both_directions_is_enough() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut child = program(OwnedFd::from(theirs.try_clone().unwrap()), OwnedFd::from(theirs));
    let output = ours.try_clone().unwrap();

    converse(&mut child, Half(ours), output);
}

#[test]
fn a_socket_and_a_pipe_are_spoken_over() {
    let (input, theirs) = UnixStream::pair().unwrap();
    let mut child = program(OwnedFd::from(theirs), Stdio::piped());
    let output = child.stdout.take().unwrap();

    converse(&mut child, input, output);
}
