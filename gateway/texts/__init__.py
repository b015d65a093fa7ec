"""What users read, in Vietnamese, Chinese and English."""
