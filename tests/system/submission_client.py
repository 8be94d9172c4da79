"""Hands one message in with Python's smtplib, as its users write it.

Arguments: port, "starttls" or "tls", file of the certificate, login, password, recipient, mechanism. The message is standard input.
SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) is done here, for smtplib has none: bound to the certificate (RFC 5929).
"""

import base64
import email
import email.policy
import hashlib
import hmac
import os
import smtplib
import ssl
import sys


class ScramPlus:
    """One exchange, as smtplib's auth() wants it: called with each challenge."""

    header = b"p=tls-server-end-point,,"

    def __init__(self, login, password, certificate):
        self.password = password.encode()
        self.binding = base64.b64encode(self.header + hashlib.sha256(certificate).digest()).decode()
        self.bare = "n=%s,r=%s" % (login, base64.b64encode(os.urandom(18)).decode())
        self.signature = None
        self.verified = False

    def __call__(self, challenge=None):
        if challenge is None:
            return self.header.decode() + self.bare
        challenge = challenge.decode()
        if self.signature is not None:
            self.verified = challenge == "v=" + self.signature
            return ""
        return self.prove(challenge)

    def prove(self, challenge):
        nonce, salt, count = [field[2:] for field in challenge.split(",")]
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(salt), int(count))
        key = self.mac(salted, b"Client Key")
        final = "c=%s,r=%s" % (self.binding, nonce)
        signed = ",".join([self.bare, challenge, final]).encode()
        proof = bytes(a ^ b for a, b in zip(key, self.mac(hashlib.sha256(key).digest(), signed)))
        self.signature = base64.b64encode(self.mac(self.mac(salted, b"Server Key"), signed)).decode()
        return final + ",p=" + base64.b64encode(proof).decode()

    @staticmethod
    def mac(key, text):
        return hmac.new(key, text, "sha256").digest()


def log_in(server, mechanism, login, password):
    if mechanism != "SCRAM-SHA-256-PLUS":
        # What smtplib is to choose from.
        server.esmtp_features["auth"] = mechanism
        server.login(login, password)
        return
    assert mechanism in server.esmtp_features["auth"].split()
    exchange = ScramPlus(login, password, server.sock.getpeercert(binary_form=True))
    server.auth(mechanism, exchange)
    assert exchange.verified


def hand_in(server, login, recipient, octets):
    if recipient.isascii():
        return server.sendmail(login, [recipient], octets, mail_options=["BODY=8BITMIME"])
    # Asks for SMTPUTF8 by itself (RFC 6531).
    message = email.message_from_bytes(octets, policy=email.policy.SMTPUTF8)
    return server.send_message(message, login, [recipient])


def main(port, kind, certificate, login, password, recipient, mechanism):
    context = ssl.create_default_context(cafile=certificate)
    address = ("localhost", int(port), "py.example")
    with smtplib.SMTP_SSL(*address, context=context) if kind == "tls" else smtplib.SMTP(*address) as server:
        server.ehlo()
        if kind == "starttls":
            assert not server.has_extn("auth")
            server.starttls(context=context)
            server.ehlo()
        assert server.has_extn("auth") and server.has_extn("smtputf8") and not server.has_extn("starttls")
        log_in(server, mechanism, login, password)
        assert hand_in(server, login, recipient, sys.stdin.buffer.read()) == {}


main(*sys.argv[1:])
