"""Prints `PASSED FAILED SKIPPED` of a JUnit file as ctest writes it."""
import sys
import xml.etree.ElementTree

try:
    cases = xml.etree.ElementTree.parse(sys.argv[1]).getroot().findall("testcase")
except (OSError, xml.etree.ElementTree.ParseError) as error:
    sys.exit(f"{sys.argv[1]}: {error}")
failed = sum(case.find("failure") is not None for case in cases)
skipped = sum(case.find("failure") is None and case.get("status") != "run" for case in cases)
print(len(cases) - failed - skipped, failed, skipped)
