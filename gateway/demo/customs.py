"""What the customs system of each side of the demo submits, takes and states by default."""

TAKES = {
    "vn": ["vn.vnsw.answer", "vn.vnaccs.tir", "canonical.manifest"],
    "cn": ["cn.mt1401", "cn.mt4401"],
}
SUBMITS = {
    "vn": ["vn.vnaccs.tor", "vn.vnaccs.eda", "vn.langson.registration", "inspection.evidence"],
    "cn": ["cn.mt2401", "cn.mt4402", "cn.response", "inspection.evidence"],
}
PROFILE = {
    "vn": {
        "senderId": "7208990000001_DXPESW0000000001",
        "receiverId": "EPORT",
        "representative": "凭祥示例物流有限公司",
        "procedureCode": "RD06",
    },
    "cn": {},
}
