"""What an archive gives to read: stories, states, origins of the figures. Nothing here is proof."""
