"""Words of the page, in the three languages of its readers."""

from collections.abc import Mapping

LANGUAGES: Mapping[str, str] = {"en": "English", "vi": "Tiếng Việt", "zh": "中文"}

WORDS: Mapping[str, Mapping[str, str]] = {
    "skip": {"en": "To the results", "vi": "Tới kết quả", "zh": "跳到结果"},
    "conformant": {"en": "Conformant", "vi": "Phù hợp", "zh": "符合规范"},
    "not-conformant": {"en": "Not conformant", "vi": "Không phù hợp", "zh": "不符合规范"},
    "profile": {"en": "Profile", "vi": "Hồ sơ", "zh": "规范集"},
    "suite": {"en": "suite", "vi": "bộ kiểm thử", "zh": "测试套件"},
    "show": {"en": "Show", "vi": "Hiển thị", "zh": "显示"},
    "effect": {
        "en": "What happens at the border when this fails",
        "vi": "Hậu quả tại cửa khẩu nếu không đạt",
        "zh": "不合格时口岸的后果",
    },
    "clauses": {"en": "Clauses", "vi": "Điều khoản", "zh": "条款"},
    "wire": {"en": "What went over the wire", "vi": "Dữ liệu đã truyền", "zh": "传输内容"},
    "sent": {"en": "sent", "vi": "đã gửi", "zh": "已发送"},
    "PASS": {"en": "pass", "vi": "đạt", "zh": "通过"},
    "FAIL": {"en": "fail", "vi": "không đạt", "zh": "失败"},
    "WARN": {"en": "warning", "vi": "cảnh báo", "zh": "警告"},
    "INCONCLUSIVE": {"en": "undecided", "vi": "chưa kết luận", "zh": "无法判定"},
    "ERROR": {"en": "suite fault", "vi": "lỗi bộ kiểm thử", "zh": "套件错误"},
    "NOT_APPLICABLE": {"en": "not declared", "vi": "không áp dụng", "zh": "不适用"},
    "SKIPPED": {"en": "skipped", "vi": "bỏ qua", "zh": "跳过"},
    "EXPECTED": {"en": "known failure", "vi": "lỗi đã biết", "zh": "已知失败"},
    "REVIEW": {"en": "to be looked at", "vi": "cần người xem", "zh": "需人工审查"},
}
