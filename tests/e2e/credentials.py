"""Certificates, keys and tokens for tests, made by openssl(1): a CA, what it signs, an issuer of JWTs."""
import base64
import json
import os
import subprocess


def openssl(*args, stdin=None):
    done = subprocess.run(["openssl", *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise AssertionError("openssl %s: %s" % (" ".join(args), done.stderr.decode()))
    return done.stdout


def read(path):
    with open(path, "rb") as f:
        return f.read()


def replace(path, content):
    """Atomically, as tools that renew certificates do."""
    with open(path + ".new", "wb") as f:
        f.write(content)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


class Authority:
    """A CA in a directory of its own."""

    def __init__(self, directory, name):
        os.makedirs(directory, mode=0o755, exist_ok=True)
        self.directory, self.n = directory, 0
        self.key, self.cert = self.path(name + ".key"), self.path(name + ".pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key,
                "-out", self.cert, "-days", "2", "-subj", "/CN=" + name,
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, sans, days=1, algorithm=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """(key, certificate) as PEM bytes; sans such as "DNS:localhost,IP:127.0.0.1"."""
        self.n += 1
        key, request, cert, ext = (self.path("%s.%d.%s" % (name, self.n, kind)) for kind in ("key", "csr", "pem", "ext"))
        with open(ext, "w") as f:
            f.write("subjectAltName=%s\n" % sans if sans else "")
        openssl("req", "-newkey", *algorithm, "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=" + name)
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-set_serial", str(self.n), "-out", cert,
                "-days", str(days), "-extfile", ext)
        return read(key), read(cert)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw_of_der(der):
    """ECDSA's two numbers, 32 bytes each, of their DER form."""
    def number(at):
        assert der[at] == 2
        n = der[at + 1]
        return int.from_bytes(der[at + 2:at + 2 + n], "big").to_bytes(32, "big"), at + 2 + n
    r, at = number(2)
    s, _ = number(at)
    return r + s


class Issuer:
    """Signs tokens with one key, and tells its public half as a JWK."""

    def __init__(self, directory, kid, alg="ES256"):
        self.kid, self.alg = kid, alg
        self.key = os.path.join(directory, kid + ".key")
        kind = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if alg == "ES256" else ["ED25519"]
        openssl("genpkey", "-algorithm", *kind, "-out", self.key)
        self.public = openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")

    def jwk(self):
        if self.alg == "EdDSA":
            return {"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "use": "sig", "x": b64(self.public[-32:])}
        return {"kty": "EC", "crv": "P-256", "kid": self.kid, "alg": "ES256", "x": b64(self.public[-64:-32]), "y": b64(self.public[-32:])}

    def sign(self, text):
        if self.alg == "ES256":
            return raw_of_der(openssl("dgst", "-sha256", "-sign", self.key, stdin=text))
        path = self.key + ".text"
        with open(path, "wb") as f:
            f.write(text)
        return openssl("pkeyutl", "-sign", "-inkey", self.key, "-rawin", "-in", path)

    def token(self, claims, **header):
        header = dict({"alg": self.alg, "kid": self.kid, "typ": "at+jwt"}, **header)
        text = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
        return text + "." + b64(self.sign(text.encode()))
