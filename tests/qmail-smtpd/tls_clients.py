"""SMTP sessions over TLS, many at once, with OpenSSL: tls_clients.py PORT SESSIONS THREADS starttls|implicit.

Prints one JSON object: sessions done, and how many ended with which trouble. No wait takes longer than WAIT seconds, so
one that hangs is counted as trouble too.
"""
import collections
import json
import queue
import socket
import ssl
import sys
import threading

WAIT = 30


def reply(connection):
    text = b""
    while not text.endswith(b"\r\n") or text[text.rfind(b"\r\n", 0, -2) + 2:][3:4] == b"-":
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError("ended after %r" % text)
        text += piece
    return text[:3]


def expect(connection, command, code):
    if command:
        connection.sendall(command + b"\r\n")
    got = reply(connection)
    if got != code:
        raise ValueError("%r was answered %r" % (command, got))


def session(port, number, implicit):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if number % 3 == 0:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    name = ["a.test", "b.test", "unknown.test", None][number % 4]
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT) as plain:
        if not implicit:
            expect(plain, b"", b"220")
            expect(plain, b"EHLO client", b"250")
            expect(plain, b"STARTTLS", b"220")
        with context.wrap_socket(plain, server_hostname=name) as secure:
            if implicit:
                expect(secure, b"", b"220")
            expect(secure, b"EHLO client", b"250")
            expect(secure, b"NOOP " + b"x" * (number % 500), b"250")
            expect(secure, b"QUIT", b"221")
            if secure.recv(1) != b"":
                raise ValueError("octets after QUIT")


def main():
    port, sessions, threads = map(int, sys.argv[1:4])
    implicit = sys.argv[4] == "implicit"
    numbers = queue.SimpleQueue()
    for number in range(sessions):
        numbers.put(number)
    done = [0] * threads
    trouble = collections.Counter()

    def work(index):
        while True:
            try:
                number = numbers.get_nowait()
            except queue.Empty:
                return
            try:
                session(port, number, implicit)
                done[index] += 1
            except Exception as error:
                trouble[repr(error)] += 1

    workers = [threading.Thread(target=work, args=(index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(json.dumps({"done": sum(done), "trouble": dict(trouble)}))


main()
