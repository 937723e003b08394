import json
import os

import pytest

from p2pchat.errors import WrongPassword
from p2pchat.launch.report import PipeReport, TerminalReport

INFO = {"pid": 7, "listen": ["127.0.0.1:7000"], "socket": "/h/rpc.sock"}
ERROR = WrongPassword("the password is wrong", hint="try again")


def test_a_pipe_gets_one_line_and_its_end() -> None:
    reading, writing = os.pipe()
    PipeReport(writing).failed(ERROR)
    with os.fdopen(reading, "rb") as pipe:
        assert json.loads(pipe.read()) == {"error": ERROR.as_json()}


def test_an_impatient_starter_does_no_harm() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    PipeReport(writing).ready(INFO)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(writing)


def test_words_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    TerminalReport(as_json=False).ready(INFO)
    TerminalReport(as_json=False).failed(ERROR)
    out, err = capsys.readouterr()
    assert out == "running: process 7, listening on 127.0.0.1:7000\n"
    assert err == "error: the password is wrong\nhint: try again\n"


def test_objects_for_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    TerminalReport(as_json=True).ready(INFO)
    TerminalReport(as_json=True).failed(ERROR)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"v": 1, **INFO}
    assert json.loads(err) == {"v": 1, "error": ERROR.as_json()}
