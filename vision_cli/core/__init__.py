"""The ground floor: types and contracts that every room shares. Knows neither torch nor OpenCV."""
