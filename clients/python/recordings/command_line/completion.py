"""`recordings completion`."""

import click
from click.shell_completion import get_completion_class


@click.command(
    epilog="""\b
Examples:
  eval "$(recordings completion bash)"
  recordings completion zsh > ~/.zfunc/_recordings
  recordings completion fish > ~/.config/fish/completions/recordings.fish
"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that has a shell complete commands, options and their values."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has these three
    click.echo(kind(ctx.find_root().command, {}, "recordings", "_RECORDINGS_COMPLETE").source())
