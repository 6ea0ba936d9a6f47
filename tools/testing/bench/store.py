# SPDX-License-Identifier: GPL-2.0-or-later
"""The result file: written after each run, so that a bench can be gone on with."""

import json


class Store:
    """One result.json; an existing one is added to.

    environments  one a session: what the figures depend on
    cases         {name: {"what", "machine", "arguments"}}
    samples       one a measured resize, with the case, the driver, the round,
                  the number of the session, and whether it only warmed up
    """

    def __init__(self, path, environment=None):
        self.path = path
        self.result = {"environments": [], "cases": {}, "samples": []}
        if path.exists():
            self.result = json.loads(path.read_text())
        if environment:
            self.result["environments"].append(environment)

    @property
    def samples(self):
        """All there are."""
        return self.result["samples"]

    def case(self, name, description):
        """Begin a case. Its figures can't be compared with those of other sizes."""
        # As it comes back from the file: no tuples.
        description = json.loads(json.dumps(description))
        if self.result["cases"].setdefault(name, description) != description:
            raise ValueError(f"{self.path} has {name} with other sizes")

    def done(self, name, number, driver):
        """Whether there is that run of a case already."""
        return any(s["case"] == name and s["round"] == number and s["driver"] == driver
                   and "died" not in s for s in self.samples)

    def seconds(self, name):
        """Seconds that a run of a case takes on the average; None if nobody knows."""
        # A run may have left more than one sample.
        took = {(s["session"], s["round"], s["driver"]): s["run_s"]
                for s in self.samples if s["case"] == name}
        return sum(took.values()) / len(took) if took else None

    def add(self, sample):
        """One more. It takes the place of a run that failed."""
        same = [s for s in self.samples if "died" in s and all(
            s[k] == sample[k] for k in ("case", "round", "driver"))]
        session = len(self.result["environments"]) - 1
        self.result["samples"] = [s for s in self.samples
                                  if s not in same or s["session"] == session]
        self.samples.append({"session": session} | sample)

    def save(self):
        """Write everything; an interruption leaves the old file or the new one."""
        temp = self.path.with_name(f".{self.path.name}.new")
        temp.write_text(json.dumps(self.result, indent=1) + "\n")
        temp.rename(self.path)
