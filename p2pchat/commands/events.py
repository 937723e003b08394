"""Events as ``recv`` prints them for people: one line each, but for messages of several lines."""

from p2pchat.commands.ask import Row
from p2pchat.commands.frame import Settings
from p2pchat.commands.layout import print_message, when
from p2pchat.commands.look_alikes import LookAlikes
from p2pchat.commands.output import print_folded, print_json
from p2pchat.show import show, show_name


def print_event(settings: Settings, event: Row) -> None:
    if settings.json:
        print_json(event)
    elif event["type"] == "message":
        text = "(needs a newer version of p2pchat)" if event.get("needs_newer_version") else str(event["text"])
        print_message(_who(event), _ms(event, "sent_ms"), text)
    else:
        time = f"{when(_ms(event, 'received_ms'))}  " if "received_ms" in event else ""
        print_folded(f"{time}{show(str(event['type']))}: {_news(settings, event)}")


def _news(settings: Settings, event: Row) -> str:
    message = show(str(event.get("message", "")))
    match event["type"]:
        case "withdrawn":
            return f"{_who(event)} took back message {message}"
        case "contact-request":
            mark = LookAlikes.asked(settings).mark({"id": event.get("from"), "nickname": event.get("nickname")})
            words = f": {show(str(event['text']))}" if event.get("text") else ""
            return f"{_who(event)} {f'({mark}) ' if mark else ''}asks for contact{words}"
        case "contact-accepted":
            return f"{_who(event)} is a contact now"
        case "contact-restored":
            confirm = f"p2pchat contact accept {_id(event, 'from')}"
            return f"{_who(event)} is listed again: it shows the ticket that you once gave it; to confirm: {confirm}"
        case "contact-verified":
            return f"{_who(event)} is verified: the keys were compared"
        case "key-changed" if event.get("login"):
            sure = f"ask the contact, then: p2pchat contact verify {_id(event, 'from')}"
            return f"{_who(event)} is on another machine, under the same key: a login, or a thief of a backup; {sure}"
        case "key-changed":
            return f"{_who(event)} has a new key; compare: p2pchat contact verify {_id(event, 'from')}"
        case "delivery":
            reason = f" ({show(str(event['reason']))})" if event.get("reason") else ""
            return f"message {message} to {_id(event, 'to')} is {show(str(event.get('state')))}{reason}"
        case _:
            return show(str(event.get("text", "")))


def _who(event: Row) -> str:
    nickname = event.get("nickname")
    return show_name(nickname if isinstance(nickname, str) else None, str(event.get("from", "")))


def _id(event: Row, field: str) -> str:
    return show_name(None, str(event.get(field, "")))


def _ms(event: Row, field: str) -> int:
    value = event.get(field)
    return value if isinstance(value, int) else 0
