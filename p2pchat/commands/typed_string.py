"""A backup's string typed in by hand: each line is judged as it is entered, and only right ones are asked no more."""

import click


def typed_string() -> str:
    """Ask on the terminal for one line after the other. An empty line skips one that is lost; few may be missing."""
    from p2pchat.keys.backup.text import judge_line, total_lines

    click.echo("Type the string line by line, without the numbers in front. Enter alone: that line is lost.", err=True)
    lines: list[str] = []
    total: int | None = None
    while total is None or len(lines) < total:
        number = len(lines) + 1
        of = f" of {total}" if total else ""
        typed = click.prompt(f"line {number}{of}", default="", show_default=False, err=True, prompt_suffix="  ")
        complaint = judge_line(number, typed, total) if typed.strip() else None
        if complaint is not None:
            click.echo(f"  {complaint}", err=True)
            continue
        total = total or (total_lines(typed) if typed.strip() else None)
        lines.append(typed)  # a line tells its number itself
    return "\n".join(lines)
