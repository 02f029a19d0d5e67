"""A web page with sliders: two organizations side by side, answered while one moves them."""
