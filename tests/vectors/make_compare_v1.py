"""Writes compare_v1.json. Run once, by hand: a change of its output is a change of the protocol's version."""

import json
from pathlib import Path

from p2pchat.contacts.compare import Comparison, End, Ends, Verdict
from p2pchat.contacts.emoji import TABLE
from p2pchat.ids import UserId

IDENTITIES = json.loads(Path(__file__).with_name("identity_v1.json").read_text())["identities"]
LINK_HASH = bytes(range(32))
VALUES = (bytes(range(32, 64)), bytes(range(64, 96)))


def end(index: int) -> End:
    known = IDENTITIES[index]
    return End(UserId(bytes.fromhex(known["user"])), bytes.fromhex(known["fingerprint"]))


def main() -> None:
    one = Comparison(ends=Ends(end(0), end(1), LINK_HASH), value=VALUES[0])
    other = Comparison(ends=Ends(end(1), end(0), LINK_HASH), value=VALUES[1])
    statements = [("0", one.statement())]
    other = other.heard(statements[-1][1])
    statements.append(("1", other.statement()))
    one = one.heard(statements[-1][1])
    statements.append(("0", one.statement()))
    other = other.heard(statements[-1][1]).answered(Verdict.YES)
    statements.append(("1", other.statement()))
    one = one.heard(statements[-1][1]).answered(Verdict.NO)
    statements.append(("0", one.statement()))
    assert one.pictures() == other.pictures()
    shape = {
        "link_hash": LINK_HASH.hex(),
        "values": [value.hex() for value in VALUES],
        "commitments": [one.commitment.hex(), other.commitment.hex()],
        "pictures": list(one.pictures()),
        "emoji": [TABLE[number][0] for number in one.pictures()],
        "statements": [{"by": int(by), "body": said.encode().hex()} for by, said in statements],
    }
    Path(__file__).with_name("compare_v1.json").write_text(json.dumps(shape, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
