import shlex
from pathlib import Path

import pytest

from recordings.command_line.app import application
from tests.clients.command_line.running_command import RunningCommand

EPILOG_MARK = "\b\n"
DOCUMENT = Path(__file__).parents[3] / "clients/python/COMMAND_LINE.md"


def examples(text: str) -> list[str]:
    """The commands `recordings …` in a text: each up to a pipe, or whatever else the shell sees to."""
    found = []
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:
            continue
        while "recordings" in words:
            words = words[words.index("recordings") :]
            end = next((number for number, word in enumerate(words) if set(word) <= set("|&;<>()")), len(words))
            found.append(shlex.join(words[1:end]))
            words = words[end:]
    return [example for example in found if example]


def in_help() -> list[str]:
    texts = [application.epilog or "", *(command.epilog or "" for command in application.commands.values())]
    return [example for text in texts for example in examples(text.partition("Exit codes")[0])]


def in_document() -> list[str]:
    blocks = DOCUMENT.read_text().split("```")[1::2]
    return [example for block in blocks if block.startswith("sh\n") for example in examples(block)]


@pytest.mark.parametrize("name", sorted(application.commands))
def test_every_command_has_an_example(name: str) -> None:
    assert [example for example in examples(application.commands[name].epilog or "") if shlex.split(example)[0] == name]


@pytest.mark.parametrize("example", sorted({*in_help(), *in_document()}))
def test_every_example_is_understood(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls.csv").touch()
    words = shlex.split(example)

    with application.make_context("recordings", [words[0]], obj=None) as context:
        command = application.get_command(context, words[0])
        assert command is not None, example
        with command.make_context(words[0], words[1:], parent=context):
            pass


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_each_shell(scripted_recordings: RunningCommand, shell: str) -> None:
    printed = scripted_recordings("completion", shell)

    assert (printed.code, printed.stderr) == (0, "")
    assert "_RECORDINGS_COMPLETE" in printed.text


def test_completion_knows_commands_and_values(tmp_path: Path) -> None:
    def completed(words: str, word: int) -> list[str]:
        variables = {"_RECORDINGS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(word)}
        return RunningCommand("127.0.0.1:1", tmp_path, **variables)().text.split()

    assert "plain,fetch" in completed("recordings f", 1)
    assert "plain,failed" in completed("recordings list --state f", 3)


def test_version_and_help_need_no_service_and_no_grpc(scripted_recordings: RunningCommand) -> None:
    assert scripted_recordings("--version").text.startswith("recordings ")
    scripted_recordings.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    shown = scripted_recordings("fetch", "--help")
    assert shown.text.startswith("Usage: recordings fetch")
    assert " grpc\n" not in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing command"),
        (["fly"], "No such command"),
        (["get"], "Missing argument"),
        (["get", "--fast", "RE1"], "No such option"),
        (["list", "--from", "yesterday"], "2026-03-01T09:30:00Z"),
        (["fetch", "RE1", "-o", "-", "--resume"], "--resume needs a file"),
        (["delete", "RE1"], "--yes"),
        (["--token-file", "/nowhere", "get", "RE1"], "--token-file"),
        (["--ca-file", "/nowhere", "get", "RE1"], "ca_file"),
        (["--client-key-file", "/nowhere", "get", "RE1"], "client_certificate_file"),
        (["--target", "", "get", "RE1"], "target"),
        (["play", "RE1", "--player", "'"], "--player"),
        (["import", "/nowhere.csv"], "nowhere"),
    ],
)
def test_wrong_usage_is_one_line_and_2(scripted_recordings: RunningCommand, arguments: list[str], said: str) -> None:
    ended = scripted_recordings(*arguments)

    assert (ended.code, ended.stdout) == (2, b"")
    assert said in ended.stderr
    assert ended.stderr.startswith("recordings: ")
    assert ended.stderr.count("\n") == 1
