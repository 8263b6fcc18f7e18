"""A server that takes API keys over TLS, and what is asked of it with one key or another."""
import os
import re
import secrets
import uuid

import grpc

from credentials import Authority, replace
from programs import Running, start
from world import details_of

ROLES = ("customer", "service", "mes", "ops_read", "ops_write", "ops_admin")


class Keyed:
    """A server that takes API keys, over TLS."""

    def __init__(self, w, *args):
        self.w, self.dir = w, os.path.join(w.scratch, "keys-" + secrets.token_hex(4))
        self.ca = Authority(self.dir, "ca")
        key, cert = self.ca.issue("orderd", "DNS:localhost,IP:127.0.0.1")
        for name, content in (("key", key), ("pem", cert), ("pepper", secrets.token_hex(32).encode())):
            replace(self.path(name), content)
        self.args = ("--auth=required", "--listen=tls:127.0.0.1:0", "--http-listen=127.0.0.1:0", "--tls-cert-file=" + self.path("pem"),
                     "--tls-key-file=" + self.path("key"), "--api-key-pepper-file=" + self.path("pepper"), *args)

    def path(self, name):
        return os.path.join(self.dir, name)

    def first(self, name, *tenant):
        conf = "--config=" + os.path.join(self.w.env["DATA"], "orderd.conf")
        code, out, err = start(self.w, "orderd", conf, *self.args, "admin-key", name, *tenant)
        return code, out.strip(), err

    def second_tenant(self):
        """Its administrator's credential."""
        self.w.sql("INSERT INTO tenant (tenant, name) VALUES (2, 'second') ON CONFLICT DO NOTHING")
        code, root, err = self.first("root", "2")
        assert code == 0, err
        self.becomes(root, "NOT_FOUND")
        return root

    def __enter__(self):
        self.w.sql("DELETE FROM api_key")
        code, self.root, err = self.first("root")
        assert code == 0 and re.fullmatch(r"ord_[0-9a-z]{16}_[A-Za-z0-9_-]{43}", self.root), (code, self.root, err)
        self.server = Running(self.w, "orderd", *self.args)
        with open(self.ca.cert, "rb") as f:
            creds = grpc.ssl_channel_credentials(f.read())
        self.channel = grpc.secure_channel(self.server.addresses["grpcs"], creds)
        self.w.until(lambda: self.outcome(self.root) == "NOT_FOUND", "the first key")
        return self

    def __exit__(self, kind, *_):
        self.channel.close()
        if kind is None:
            assert self.server.end() == 0
        self.server.__exit__()

    def call(self, credential, service, method, request):
        module = self.w.pb[service.replace("Service", "_service").lower()]
        return self.channel.unary_unary("/orderd.v1.%s/%s" % (service, method), type(request).SerializeToString,
                                        getattr(module, method + "Response").FromString)(
            request, metadata=[("authorization", "Bearer " + credential)], timeout=20)

    def refusal(self, *args):
        try:
            self.call(*args)
        except grpc.RpcError as e:
            return (e.code().name,) + details_of(e)
        raise AssertionError("it was not refused")

    def outcome(self, credential):
        return self.refusal(credential, "OrderService", "GetOrder",
                            self.w.pb["order_service"].GetOrderRequest(order_id=str(uuid.uuid4())))[0]

    def request(self, name, role="service", **fields):
        svc = self.w.pb["key_service"]
        fields.setdefault("request_id", str(uuid.uuid4()))
        return svc.CreateKeyRequest(name=name, role=svc.Role.Value("ROLE_" + role.upper()), **fields)

    def create(self, *args, by=None, **fields):
        answer = self.call(by or self.root, "KeyService", "CreateKey", self.request(*args, **fields))
        return answer.key, answer.credential

    def revoke(self, kid):
        return self.call(self.root, "KeyService", "RevokeKey", self.w.pb["key_service"].RevokeKeyRequest(key_id=kid))

    def list(self, **fields):
        return self.call(self.root, "KeyService", "ListKeys", self.w.pb["key_service"].ListKeysRequest(**fields))

    def becomes(self, credential, outcome):
        self.w.until(lambda: self.outcome(credential) == outcome, "%s of a key" % outcome, patience_s=20)
