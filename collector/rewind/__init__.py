"""Looking at the past: the engine run again from what was kept, beside what people and rules had done by then."""
