"""URIs of signatures, and how a signature is laid out: data for right and wrong ones."""

from dataclasses import dataclass

DSIG = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = DSIG + "enveloped-signature"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA1 = DSIG + "sha1"
MD5 = MORE + "md5"
ECDSA_SHA256 = MORE + "ecdsa-sha256"
ECDSA_SHA1 = MORE + "ecdsa-sha1"
RSA_SHA256 = MORE + "rsa-sha256"
RSA_SHA1 = DSIG + "rsa-sha1"
RSA_MD5 = MORE + "rsa-md5"
HMAC_SHA256 = MORE + "hmac-sha256"
RSA_PSS_SHA256 = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
SM2_2022 = "http://www.chinaport.gov.cn/2022/04/xmldsig#sm2-sm3"
SM3_2022 = "http://www.chinaport.gov.cn/2022/04/xmldsig#sm3"


@dataclass(frozen=True, slots=True)
class Layout:
    """What a signature element says. The default is XP-SIG-002 to 007.

    method: "" takes the one that fits the key. der: write ECDSA and SM2 values as DER.
    certificates: how many X509Certificate elements. white: white space before the
    signature, inserted after signing. user_id: of SM2. z: False digests without Z.
    """

    method: str = ""
    digest: str = SHA256
    c14n: str = C14N
    transforms: tuple[str, ...] = (ENVELOPED, C14N)
    uri: str = ""
    der: bool = False
    certificates: int = 1
    key_name: str = ""
    references: int = 1
    objects: str = ""
    user_id: bytes = b"1234567812345678"
    z: bool = True


PROFILE = Layout()
