"""From a wish in words to a task, KPIs, a plan for the data, and models: `vision task suggest`."""
