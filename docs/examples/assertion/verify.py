# apt install python3-jwt python3-cryptography, or pip install 'pyjwt[crypto]'
import os
import sys

import jwt

# Fetched once, kept, and fetched again when a key is new.
keys = jwt.PyJWKClient(os.environ["SALLYPORT_JWKS"])


def who_is(assertion):
    """Who sends the request, or an exception: then answer 401 and nothing else."""
    if jwt.get_unverified_header(assertion).get("typ") != "sallyport-assertion+jwt":
        raise jwt.InvalidTokenError("not an assertion")
    return jwt.decode(
        assertion,
        keys.get_signing_key_from_jwt(assertion).key,
        algorithms=["ES256"],
        issuer=os.environ["SALLYPORT_ISSUER"],
        audience=os.environ["SALLYPORT_AUDIENCE"],
        leeway=5,  # seconds that clocks may be apart
        options={"require": ["sub", "iat", "exp", "iss", "aud"]},
    )


# In an app: who_is(request.headers["Sallyport-Assertion"]). Here: one a line.
for line in sys.stdin:
    try:
        print("welcome", who_is(line.rstrip("\n"))["preferred_username"])
    except jwt.PyJWTError:
        print("refused")
