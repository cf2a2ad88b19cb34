"""A process that forks after first use: both go on, and neither waits for the other's locks."""

from __future__ import annotations

import pytest

FORK = """
import os, signal, sys, threading, time, warnings
# Newer versions of Python say what this test is about.
warnings.filterwarnings("ignore", message=".*multi-threaded.*fork.*", category=DeprecationWarning)
# Whoever waits for a lock that nobody will release ends here.
signal.alarm(60)

def in_child(work):
    "Fork, let the child work, and return what it said through a pipe."
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        try:
            said = work()
        except BaseException as error:
            said = repr(error)
        os.write(writer, str(said).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(pid, 0)
    return said

def held(lock):
    "Hold a lock in another thread, which does not exist in a child."
    taken, done = threading.Event(), threading.Event()
    def hold():
        with lock:
            taken.set()
            done.wait()
    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    return lambda: (done.set(), thread.join())

config = read_config(sys.argv[1])
"""

BOTH = """
client = make_client(config)
log_in(client)
mine, childs = client.start_login(), client.start_login()
mine_back, childs_back = agree(mine.url), agree(childs.url)

def child():
    client.finish_login(childs_back, handle=childs.handle)
    pseudonyms = {log_in(client).pseudonym.value for _ in range(3)}
    client.refresh()
    client.close()
    return len(pseudonyms)

print(in_child(child))
client.finish_login(mine_back, handle=mine.handle)
print(len({log_in(client).pseudonym.value for _ in range(3)}))
client.close()
"""

AMID_LOGINS = """
client = make_client(config)
stopping = threading.Event()

def keep_going():
    while not stopping.is_set():
        log_in(client)

workers = [threading.Thread(target=keep_going) for _ in range(4)]
for each in workers:
    each.start()
time.sleep(0.5)
for _ in range(6):
    print(in_child(lambda: (client.refresh(), len([log_in(client) for _ in range(2)]))[1]))
stopping.set()
for each in workers:
    each.join()
log_in(client)
client.close()
"""

HELD_LOCKS = """
from cyberid_client.stores import MemoryPendingStore
store = MemoryPendingStore()
client = make_client(config, pending=store)
log_in(client)

locks = {
    "keeper": client._legs.keeper._lock,
    "flights": client._legs.keeper._flights._lock,
    "outbound": client.outbound._lock,
    "cache": client._legs.cache._lock,
    "store": store._lock,
    "refresher": client._refresher._stopping._cond,
}
releases = [held(lock) for lock in locks.values()]

def child():
    client.refresh()
    log_in(client)
    client.close()
    return "went on"

print(in_child(child), *locks)
for release in releases:
    release()
log_in(client)
client.close()
"""

OWN_MEMORY = """
from cyberid_client import LoginRestartError
from cyberid_client.stores import MemoryPendingStore
client = make_client(config, pending=MemoryPendingStore())
mine = client.start_login()
back = agree(mine.url)

def child():
    try:
        client.finish_login(back, handle=mine.handle)
    except LoginRestartError as error:
        return error.code

print(in_child(child))
client.finish_login(back, handle=mine.handle)
client.close()
print("parent: ok")
"""

CLOSED_BEFORE = """
from cyberid_client import ConfigurationError
client = make_client(config)
log_in(client)
client.close()

def child():
    try:
        client.start_login()
    except ConfigurationError as error:
        return error.code

print(in_child(child))
"""

REFRESHER = """
client = make_client(config)
log_in(client)

def names():
    return sorted(each.name for each in threading.enumerate())

def child():
    after_fork = names()
    log_in(client)
    return after_fork, names()

print(in_child(child))
print(names())
client.close()
"""


def test_parent_and_child_both_finish_and_start_logins(run):
    """A login that began before the fork ends on either side; each side has connections of its own."""
    assert "1\n1\n" == run(FORK + BOTH)


@pytest.mark.slow
def test_a_fork_amid_logins_leaves_no_lock_stuck(run):
    """Whatever four threads are doing at the moment of the fork, the child logs in."""
    assert "2\n" * 6 == run(FORK + AMID_LOGINS)


def test_a_lock_that_was_held_at_the_fork_is_new_in_the_child(run):
    """Every lock of ours, held by a thread that does not exist in the child, stops nothing there."""
    assert "went on keeper flights outbound cache store refresher\n" == run(FORK + HELD_LOCKS)


def test_a_child_does_not_inherit_logins_that_wait_in_memory(run):
    """Two copies of one record could be used twice: the child starts empty, the parent goes on."""
    assert "login.unknown\nparent: ok\n" == run(FORK + OWN_MEMORY)


def test_a_closed_client_stays_closed_in_a_child(run):
    """A fork opens nothing again."""
    assert "client.closed\n" == run(FORK + CLOSED_BEFORE)


def test_the_refresher_starts_again_at_first_use_in_a_child(run):
    """Threads do not survive a fork; the first login in the child starts its own."""
    parent = "['MainThread', 'cyberid-refresh']"
    assert f"(['MainThread'], {parent})\n{parent}\n" == run(FORK + REFRESHER)
