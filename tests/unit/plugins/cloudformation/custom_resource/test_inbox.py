"""The URL that takes the answer of a custom resource's provider."""

from urllib.parse import parse_qs, urlsplit

from rydelab.plugins.cloudformation.custom_resource.inbox import PATH, REMEMBERED, Inbox


def signature_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["X-Amz-Signature"][0]


def test_the_first_answer_counts_and_later_ones_are_accepted_and_ignored() -> None:
    inbox = Inbox("http://127.0.0.1:4566")
    with inbox.expect("r-1") as expectation:
        signature = signature_of(expectation.url)
        assert urlsplit(expectation.url).path == f"{PATH}/r-1"

        assert inbox.deliver("r-1", signature, b"first")
        assert inbox.deliver("r-1", signature, b"second")

        assert expectation.wait(0) == b"first"
    assert inbox.deliver("r-1", signature, b"third")


def test_only_the_whole_url_takes_an_answer() -> None:
    inbox = Inbox("http://127.0.0.1:4566")
    with inbox.expect("r-1") as one, inbox.expect("r-2") as other:
        assert not inbox.deliver("r-1", "", b"unsigned")
        assert not inbox.deliver("r-1", signature_of(other.url), b"of another request")
        assert not inbox.deliver("r-3", signature_of(one.url), b"for nobody")

        assert one.wait(0) is None
        assert other.wait(0) is None


def test_it_remembers_only_so_many_answered_requests() -> None:
    inbox = Inbox("http://127.0.0.1:4566")
    with inbox.expect("old") as old:
        pass
    for number in range(REMEMBERED):
        with inbox.expect(f"r-{number}"):
            pass

    assert not inbox.deliver("old", signature_of(old.url), b"late")
