{% extends "../base.html" %}
{% block main %}
<h1>$name runs</h1>
<p>This page is <code>templates/home/index.html</code>, drawn by <code>home/handlers/index.py</code>. You have been here
{{ visits }} {{ "time" if visits == 1 else "times" }}.</p>
{% end %}
