"""The interop tests' other side: PyCA cryptography and PyJWT.

Reads one JSON request {"op": …, …} on standard input, writes one JSON answer on standard output:
{"ok": …}, or {"error": "…"} if the library refused. Keys come and go only that way, never as
arguments or files.
"""

import base64
import json
import os
import sys

import jwt
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from jwt import PyJWKSet
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_decode, base64url_encode

ALGORITHMS = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm, "oct": HMACAlgorithm}

PEM, DER, RAW = serialization.Encoding.PEM, serialization.Encoding.DER, serialization.Encoding.Raw
PKCS8, TRADITIONAL = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
SPKI, PKCS1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
OPEN = serialization.NoEncryption()
MGF = padding.MGF1(hashes.SHA256())

MAKERS = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ECDH-ES": x25519.X25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "PS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "RSA-OAEP-256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


def encode(data):
    return base64.b64encode(data).decode()


def decode(request, *names):
    """The bytes that a request holds under these names, in base64."""
    return [base64.b64decode(request[name]) for name in names]


def private_key(given):
    """A private key as pem, der (base64) or jwk."""
    if "pem" in given:
        return serialization.load_pem_private_key(given["pem"].encode(), password=None)
    if "der" in given:
        return serialization.load_der_private_key(base64.b64decode(given["der"]), password=None)
    return key_of_jwk(given["jwk"])


def public_key(given):
    """A public key as pem, der (base64) or jwk."""
    if "pem" in given:
        return serialization.load_pem_public_key(given["pem"].encode())
    if "der" in given:
        return serialization.load_der_public_key(base64.b64decode(given["der"]))
    return key_of_jwk(given["jwk"])


def key_of_jwk(jwk):
    """A key from its members alone: PyJWT knows no `alg` of encryption, and of OKP Ed25519 and Ed448."""
    if jwk.get("crv") == "X25519":
        if "d" in jwk:
            return x25519.X25519PrivateKey.from_private_bytes(base64url_decode(jwk["d"]))
        return x25519.X25519PublicKey.from_public_bytes(base64url_decode(jwk["x"]))
    return ALGORITHMS[jwk["kty"]].from_jwk(jwk)


def jwk_of(key):
    """The members of a JWK that make the key, as PyJWT writes them."""
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        kty = "RSA"
    elif isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        kty = "EC"
    elif isinstance(key, x25519.X25519PrivateKey):
        return jwk_of(key.public_key()) | {"d": base64url_encode(key.private_bytes_raw()).decode()}
    elif isinstance(key, x25519.X25519PublicKey):
        return {"kty": "OKP", "crv": "X25519", "x": base64url_encode(key.public_bytes_raw()).decode()}
    else:
        kty = "OKP"
    jwk = ALGORITHMS[kty].to_jwk(key, as_dict=True)
    return {name: value for name, value in jwk.items() if name != "key_ops"}


def generate(request):
    """A fresh key pair in every encoding that the library has for it."""
    alg = request["alg"]
    key = MAKERS[alg]()
    public = key.public_key()
    made = {
        "private": {
            "pkcs8_pem": {"pem": key.private_bytes(PEM, PKCS8, OPEN).decode()},
            "pkcs8_der": {"der": encode(key.private_bytes(DER, PKCS8, OPEN))},
            "jwk": {"jwk": jwk_of(key)},
        },
        "public": {
            "spki_pem": {"pem": public.public_bytes(PEM, SPKI).decode()},
            "spki_der": {"der": encode(public.public_bytes(DER, SPKI))},
            "jwk": {"jwk": jwk_of(public)},
        },
    }
    if alg in ("EdDSA", "ECDH-ES"):
        raw = key.private_bytes(RAW, serialization.PrivateFormat.Raw, OPEN)
        made["private"]["raw"] = {"raw": encode(raw)}
        made["public"]["raw"] = {"raw": encode(public.public_bytes(RAW, serialization.PublicFormat.Raw))}
    else:
        made["private"]["traditional_pem"] = {"pem": key.private_bytes(PEM, TRADITIONAL, OPEN).decode()}
        made["private"]["traditional_der"] = {"der": encode(key.private_bytes(DER, TRADITIONAL, OPEN))}
    if alg in ("PS256", "RSA-OAEP-256"):
        made["public"]["pkcs1_pem"] = {"pem": public.public_bytes(PEM, PKCS1).decode()}
        made["public"]["pkcs1_der"] = {"der": encode(public.public_bytes(DER, PKCS1))}
    return made


def sign(request):
    """A JWT over the claims, signed with the private key."""
    key = private_key(request["key"])
    return jwt.encode(request["claims"], key, request["alg"], headers={"kid": request["kid"]})


def verify(request):
    """The claims of a JWT, verified with the key of the JWKS that its kid names."""
    kid = jwt.get_unverified_header(request["token"])["kid"]
    key = PyJWKSet.from_dict(request["jwks"])[kid]
    return jwt.decode(request["token"], key, algorithms=[key.algorithm_name])


def round_trip(request):
    """What encrypts to the public half opens with the private one: RSA-OAEP, or an agreement on both sides."""
    private, public = private_key(request["private"]), public_key(request["public"])
    if isinstance(public, rsa.RSAPublicKey):
        return private.decrypt(public.encrypt(b"a content key", oaep(None)), oaep(None)) == b"a content key"
    other = x25519.X25519PrivateKey.generate()
    return other.exchange(public) == private.exchange(other.public_key())


def verify_with(request):
    """The claims of a JWT, verified with this key."""
    return jwt.decode(request["token"], public_key(request["key"]), algorithms=[request["alg"]])


def check_signature(request):
    """Whether the bytes of a signature, in JOSE's form, are that of the message: an exception if not."""
    message, signature = decode(request, "message", "signature")
    key, sha256 = public_key(request["key"]), hashes.SHA256()
    match request["alg"]:
        case "HS256":
            mac = hmac.HMAC(key, sha256)
            mac.update(message)
            mac.verify(signature)
        case "EdDSA":
            key.verify(signature, message)
        case "ES256":
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            key.verify(encode_dss_signature(r, s), message, ec.ECDSA(sha256))
        case "PS256":
            key.verify(signature, message, padding.PSS(mgf=MGF, salt_length=32), sha256)
        case other:
            raise ValueError(other)
    return True


def seal_aes_gcm(request):
    """AES-GCM under a nonce that is drawn here."""
    key, plaintext, aad = decode(request, "key", "plaintext", "aad")
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, plaintext, aad)
    return {"nonce": encode(nonce), "ciphertext": encode(sealed[:-16]), "tag": encode(sealed[-16:])}


def open_aes_gcm(request):
    key, nonce, ciphertext, tag, aad = decode(request, "key", "nonce", "ciphertext", "tag", "aad")
    return encode(AESGCM(key).decrypt(nonce, ciphertext + tag, aad))


def oaep(label):
    return padding.OAEP(mgf=MGF, algorithm=hashes.SHA256(), label=label)


def seal_oaep(request):
    plaintext, label = decode(request, "plaintext", "label")
    return encode(public_key(request["key"]).encrypt(plaintext, oaep(label)))


def open_oaep(request):
    ciphertext, label = decode(request, "ciphertext", "label")
    return encode(private_key(request["key"]).decrypt(ciphertext, oaep(label)))


OPERATIONS = {
    "generate": generate,
    "sign": sign,
    "verify": verify,
    "round_trip": round_trip,
    "verify_with": verify_with,
    "check_signature": check_signature,
    "seal_aes_gcm": seal_aes_gcm,
    "open_aes_gcm": open_aes_gcm,
    "seal_oaep": seal_oaep,
    "open_oaep": open_oaep,
    "private_jwk": lambda request: jwk_of(private_key(request["key"])),
    "public_jwk": lambda request: jwk_of(public_key(request["key"])),
    "public_of_private": lambda request: jwk_of(private_key(request["key"]).public_key()),
}


def main():
    request = json.load(sys.stdin)
    try:
        answer = {"ok": OPERATIONS[request["op"]](request)}
    except Exception as error:  # The tests decide whether a refusal is right.
        answer = {"error": f"{type(error).__name__}: {error}"}
    json.dump(answer, sys.stdout)


main()
