"""The examples of the 1.8 documentation, one test per section, as written but for Python 3 and evident misprints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HELLOWORLD = Path(__file__).resolve().parents[1] / "packages/torngas/examples/helloworld"

HANDLERS = """
from torngas.handler import WebHandler
class Main(WebHandler):
    def get(self, *args):
        self.finish(self._url_kwargs['abc']) # print abc
class Login(Main): pass
class User(Main): pass
"""
ONE_APP = "INSTALLED_APPS = ('myapp1',)\nMIDDLEWARE_CLASSES = ()\n"


@pytest.fixture
def app(project):
    """The app of the section `urls`, as documented."""
    project.settings(ONE_APP)
    project.write("myapp1/__init__.py", "")
    project.write("myapp1/handlers/__init__.py", "")
    project.write("myapp1/handlers/main_handler.py", HANDLERS)
    project.write(
        "myapp1/urls.py",
        """
        from torngas import Url, route

        u = Url('myapp1.handlers',abc='abc')
        urls = route(
            u(name='Index', pattern=r'/?', handler='main_handler.Main'),
            u(name='Login', pattern=r'/login/?', handler='main_handler.Login'),
            u(name='User', pattern=r'/user/?', handler='main_handler.User',kwargs={'abc':'other'}),
        )
        """,
    )
    return project


def handler(project, body, extra=""):
    """One handler at `/`, with the given body."""
    project.write("myapp1/handlers/main_handler.py", f"from torngas.handler import WebHandler\n{extra}\n{body}")
    project.write(
        "myapp1/urls.py",
        "from torngas import Url, route\nu = Url('myapp1.handlers')\nurls = route(u(r'/(.*)', 'main_handler.Main'))\n",
    )


def test_helloworld(project):
    """The tree of the quick start, and its command line."""
    tree = {path.name for path in HELLOWORLD.iterdir()}
    assert tree >= {
        "myapp1", "myapp2", "logs", "middlewares", "settings", "httpmodules", "templates", "statics", "runserver.py"
    }  # fmt: skip
    assert {path.name for path in (HELLOWORLD / "myapp1/handlers").iterdir()} >= {"hello_china.py", "hello_usa.py"}
    assert {path.name for path in (HELLOWORLD / "settings").iterdir()} >= {"settings.py", "settings_online.py"}
    project.write(
        "runserver.py",
        f"import sys\nsys.path.insert(0, {str(HELLOWORLD)!r})\n" + (HELLOWORLD / "runserver.py").read_text(),
    )
    (project.folder / "settings/__init__.py").unlink()
    (project.folder / "settings").rmdir()
    project.start("--settings=settings.settings", f"--logging_dir={project.folder / 'logs'}")
    assert "你好，世界" in project.get("/")
    assert "Hello, world" in project.get("/usa")
    assert project.get("/api/hello?name=ada") == '{"hello": "ada", "version": "2.0"}'


def test_settings(app):
    """`--settings=` goes before the environment's default; settings are read by attribute."""
    handler(
        app,
        "class Main(WebHandler):\n    def get(self, _):\n        self.write(settings.PROJECT_PATH)",
        "from torngas import settings",
    )
    app.settings(ONE_APP + "PROJECT_PATH = 'default'\n")
    app.write("settings/online.py", "from settings.setting import *\nPROJECT_PATH = 'online'\n")
    app.start()
    assert app.get() == "default"
    app.stop()
    app.start("--settings=settings.online")
    assert app.get() == "online"


@pytest.mark.parametrize(
    "program",
    [
        "from torngas.webserver import run\nrun()",
        """
from torngas.webserver import Server
from tornado.options import define
define("your_arg", default='default', help='your command args', type=str)

serv = Server()
serv.parse_command() #你必须调用parse_command()来处理tornado options,否则无法加载配置
serv.load_urls()
serv.load_application(application=None) # 或根据你的需求自定义Application
serv.server_start(sockets=None)
""",
        """
from torngas.application import Application
from torngas.webserver import Server

class MyApp(Application):
    \"\"\"your custom code\"\"\"

server = Server()
server.parse_command()
server.load_urls()
server.load_application(MyApp)
server.server_start(no_keep_alive=True,backlog=512)
""",
        """
from torngas.application import Application
from torngas.webserver import Server
class MyApp(Application): pass
serv = Server()
serv.load_all(application=MyApp,no_keep_alive=True,backlog=512)
serv.start()
""",
    ],
    ids=["run", "steps", "subclass", "load_all"],
)
def test_webserver(app, program):
    app.write(
        "runserver.py", "import os\nos.environ.setdefault('TORNGAS_APP_SETTINGS', 'settings.setting')\n" + program
    )
    app.start()
    assert app.get() == "abc"


def test_app(app):
    """Apps are loaded in the order of INSTALLED_APPS."""
    app.write("myapp2/__init__.py", "")
    second = (app.folder / "myapp1/urls.py").read_text().replace("abc='abc'", "abc='second'")
    app.write("myapp2/urls.py", second.replace("/login", "/second").replace("name='", "name='Second"))
    app.settings("INSTALLED_APPS = (\n'myapp1',\n'myapp2',\n)\nMIDDLEWARE_CLASSES = ()\n")
    app.start()
    assert app.get("/login") == "abc"
    assert app.get("/second") == "second"


def test_urls(app):
    """Prefix, preloaded arguments, the route's arguments over them, a class as handler."""
    app.start()
    assert [app.get(path) for path in ("/", "/login/", "/user")] == ["abc", "abc", "other"]
    app.stop()
    app.write(
        "myapp1/urls.py",
        """
        from torngas import Url, route
        from myapp1.handlers.main_handler import Main
        u = Url(abc='class')
        urls = route(
            u(name='Index', pattern=r'/?', handler=Main),
        )
        """,
    )
    app.start()
    assert app.get() == "class"


def test_urls_in_groups(app):
    """Routes in several files, included by path and by list; the table is called URLS."""
    for name in ("photo", "blog", "user"):
        app.write(
            f"myapp1/handlers/{name}.py",
            "from torngas.handler import WebHandler\n"
            + "".join(
                f"class {kind}(WebHandler):\n    def get(self):\n        self.write('{name} {kind}')\n"
                for kind in ("UploadHandler", "ListHandler", "MeHandler")
            ),
        )
    app.write(
        "myapp1/url_photo.py",
        """
        from torngas import Url, route
        url=Url('myapp1.handlers')
        URLS = route(
            url(r'photo/upload/?','photo.UploadHandler'),
        )
        """,
    )
    app.write(
        "myapp1/url_blog.py",
        r"""
        from torngas import Url, route
        url=Url('myapp1.handlers')
        URLS = route(
            url(r'blog/list/\d*/?','blog.ListHandler'),
        )
        """,
    )
    app.write(
        "myapp1/urls.py",
        """
        from torngas import route, include, Url
        from myapp1.url_blog import URLS as blog_urls

        url = Url('myapp1.handlers')
        URLS = route(
            include('/','myapp1.url_photo.URLS'),
            include('/',blog_urls),
            url(r'/user/me/?','user.MeHandler'),
        )
        """,
    )
    app.start()
    assert app.get("/photo/upload") == "photo UploadHandler"
    assert app.get("/blog/list/12/") == "blog ListHandler"
    assert app.get("/user/me") == "user MeHandler"


def test_log(app):
    """syslogger writes the documented files; `--logging_dir` wins; `--log_port_prefix` ends the name in the port."""
    handler(
        app,
        """
class Main(WebHandler):
    def get(self, _):
        syslogger.error("this is a error.")
        syslogger.info("info")
        logging.getLogger("mine").info("own")
""",
        "import logging\nfrom torngas.logger import syslogger",
    )
    app.settings(
        ONE_APP
        + """
LOGGING_DIR = 'ignored/'
from torngas import global_settings
LOGGING = (*global_settings.LOGGING, {
    'name': 'mine',
    'level': 'INFO',
    'log_to_stderr': False,
    'when': 'midnight',
    'interval': 1,
    'filename': 'mine.log'
},)
MIDDLEWARE_CLASSES = ('torngas.middleware.accesslog.AccessLogMiddleware',)
"""
    )
    app.start("--log_port_prefix=true", "--logging_dir=made")
    app.get()
    app.stop()
    files = {path.name for path in (app.folder / "made").iterdir() if not path.name.endswith(".lock")}
    expected = ("tornado.log", "torngas_trace_log.log", "torngas_access_log.log", "torngas_info_log.log", "mine.log")
    assert files == {f"{name}.{app.port}" for name in expected}
    assert "this is a error." in (app.folder / f"made/torngas_trace_log.log.{app.port}").read_text()
    assert "info" in (app.folder / f"made/torngas_info_log.log.{app.port}").read_text()
    assert "own" in (app.folder / f"made/mine.log.{app.port}").read_text()
    access = (app.folder / f"made/torngas_access_log.log.{app.port}").read_text()
    assert re.match(r'127\.0\.0\.1 - - \[.*\] "GET / HTTP/1\.1" 200 - ', access)
    assert not (app.folder / "ignored").exists()


@pytest.mark.parametrize(
    ("engine", "template"),
    [
        ("None", "{{ greeting }} {{ handler.request.path }}"),
        ("'torngas.template.mako_loader.MakoTemplateLoader'", "${greeting} ${handler.request.path}"),
        ("'torngas.template.jinja2_loader.Jinja2TemplateLoader'", "{{ greeting }} {{ handler.request.path }}"),
    ],
    ids=["tornado", "mako", "jinja2"],
)
def test_template_engines(app, engine, template):
    handler(app, "class Main(WebHandler):\n    def get(self, _):\n        self.render('page.html', greeting='hello')")
    app.settings(
        ONE_APP
        + f"""
TEMPLATE_CONFIG = {{
    'template_engine': {engine},
    'filesystem_checks': True,  # 通用选项
    'cache_directory': '_tmpl_cache',  #通用选项,模版编译临时文件目录
    'collection_size': 50,  #mako选项,暂存入内存的模版项,可以提高性能,详情见mako文档
    'cache_size': 0,  #jinja选项,类似于mako的collection_size,设定为-1为不清理缓存,0则每次都会重编译模板
    'format_exceptions': False,  #mako选项,格式化异常输出
    'autoescape': False  #jinja2选项,默认转义设定
}}
"""
    )
    app.write("templates/page.html", template)
    app.start()
    assert app.get("/x") == "hello /x"


def test_handler_flash(app):
    """The documented handler and template: pairs of category and message, once."""
    handler(
        app,
        """
class Main(FlashMessageMixIn,WebHandler):

    def get(self, what):
        if what == 'flash':
            username = 'ada'
            self.flash("Welcome back, %s" % username, 'success')
        else:
            self.render('base.html')
""",
        "from torngas.mixins.flash_message import FlashMessageMixIn",
    )
    app.write(
        "templates/base.html",
        """
        {% set messages = handler.get_flashed_messages() %}
        {% if messages %}
        <div id="flashed">
            {% for category, msg in messages %}
            <span class="flash-{{ category }}">{{ msg }}</span>
            {% end %}
        </div>
        {% end %}
        """,
    )
    app.start()
    app.get("/flash")
    assert '<span class="flash-success">Welcome back, ada</span>' in app.get("/")
    assert "flashed" not in app.get("/")


MIDDLEWARE = """
TRACE = []
class MyMiddleware(object):
    def process_init(self, application):
        TRACE.append("init")
    def process_call(self, request, clear):
        TRACE.append("call")
    def process_request(self, handler, clear):
        TRACE.append("request")
        handler.user = handler.get_argument("user", None)
        if not handler.user:
            handler.finish('auth failure.')
            return 1
    def process_render(self, handler, clear, template_name, **kwargs):
        TRACE.append("render " + template_name)
    def process_response(self, handler, clear, chunk):
        TRACE.append("response")
        if chunk: chunk[0] = chunk[0].upper()
    def process_endcall(self, handler, clear):
        TRACE.append("endcall")
    def process_exception(self,handler, clear, typ, value, tb):
        TRACE.append("exception")
"""


def test_middleware(app):
    app.write("middlewares/__init__.py", "")
    app.write("middlewares/mine.py", MIDDLEWARE)
    app.settings(
        "INSTALLED_APPS = ('myapp1',)\n"
        "MIDDLEWARE_CLASSES = (\n"
        "    'torngas.middleware.accesslog.AccessLogMiddleware',\n"
        "    'torngas.middleware.session.SessionMiddleware',\n"
        "    'torngas.httpmodule.httpmodule.HttpModuleMiddleware',\n"
        "    'torngas.middleware.session.SignalMiddleware',\n"
        "    'middlewares.mine.MyMiddleware',\n"
        ")\n"
    )
    handler(
        app,
        "class Main(WebHandler):\n    def get(self, what):\n"
        "        if what == 'fail': raise ValueError\n"
        "        if what == 'trace': self.write(' '.join(TRACE)); TRACE.clear()\n"
        "        else: self.render('page.html')",
        "from middlewares.mine import TRACE",
    )
    app.write("templates/page.html", "page")
    app.start()
    assert app.get("/") == "AUTH FAILURE."
    assert app.get("/?user=1") == "PAGE"
    assert app.fetch("/fail?user=1")[0] == 500
    trace = app.get("/trace?user=1")
    assert trace.lower() == (
        "init call request response endcall "
        "call request render page.html response endcall "
        "call request exception response endcall call request"
    )


def test_http_modules(app):
    app.write("httpmodule/__init__.py", "")
    app.write(
        "httpmodule/auth.py",
        """
        from torngas.httpmodule import BaseHttpModule
        class AuthModule(BaseHttpModule):
            def begin_request(self, handler, clear):
                handler.add_header('X-Ran', 'auth')
        """,
    )
    for name, kind in (("ipauth", "ipblack"), ("login", "loginmodule")):
        source = (app.folder / "httpmodule/auth.py").read_text()
        app.write(f"httpmodule/{name}.py", source.replace("AuthModule", kind).replace("'auth'", f"'{kind}'"))
    app.settings(
        """
INSTALLED_APPS = ('myapp1',)
MIDDLEWARE_CLASSES = ('torngas.httpmodule.httpmodule.HttpModuleMiddleware',)
COMMON_MODULES = (
    'httpmodule.auth.AuthModule',
    'httpmodule.ipauth.ipblack',
)
ROUTE_MODULES = {
     '^/user/.*$':['httpmodule.login.loginmodule','!httpmodule.ipauth.ipblack',],
     'Index': ['!httpmodule.auth.AuthModule',],
     '^/login': ['httpmodule.login.loginmodule','!all',],
}
"""
    )
    app.write(
        "myapp1/handlers/main_handler.py",
        HANDLERS.replace("self._url_kwargs['abc']", "','.join(self._headers.get_list('X-Ran'))"),
    )
    app.start()
    assert app.get("/") == "ipblack"
    assert app.get("/user/") == "auth,loginmodule"
    assert app.get("/login") == "loginmodule"
    assert app.get("/user") == "auth,ipblack"


def test_cache(app, redis_server):
    app.settings(
        ONE_APP
        + f"""
CACHES = {{
    'default': {{'BACKEND': 'torngas.cache.backends.localcache.LocMemCache', 'LOCATION': 'process_cache'}},
    'rediscache': {{
        'BACKEND': 'torngas.cache.backends.rediscache.RedisCache',
        'LOCATION': '127.0.0.1:{redis_server["port"]}',
        'OPTIONS': {{
            'DB': 0,
            'PARSER_CLASS': 'redis.connection.DefaultParser',
            'POOL_KWARGS': {{
                'socket_timeout': 2,
                'socket_connect_timeout': 2
            }},
            'PING_INTERVAL': 120  # 定时ping redis连接池,防止被服务端断开连接(s秒)
        }}
    }},
    'native': {{
        'BACKEND': 'torngas.cache.backends.rediscache.RedisClient',
        'LOCATION': '127.0.0.1:{redis_server["port"]}',
        'OPTIONS': {{'DB': 1}},
    }},
}}
"""
    )
    handler(
        app,
        """
class Main(WebHandler):
    async def get(self, _):
        cache.set('a', {'n': 1}, 30)
        await caches['rediscache'].aset('b', 7, 30)
        caches['native'].client.set('c', 'native')
        self.write({'a': cache.get('a'), 'b': caches['rediscache'].incr('b'),
                    'c': caches['native'].client.get('c').decode(),
                    'd': caches['rediscache'].client.ping()})
""",
        "from torngas.cache import cache, caches",
    )
    app.start()
    assert app.get() == '{"a": {"n": 1}, "b": 8, "c": "native", "d": true}'


def test_database(app):
    """Models as documented (on SQLite), the query, pages, the master's session."""
    app.settings(
        """
INSTALLED_APPS = ('myapp1',)
MIDDLEWARE_CLASSES = ('torngas.middleware.dbalchemy.DBAlchemyMiddleware',)
DATABASE_CONNECTION = {
    'default': {
        'connections': [{
                            'ROLE': 'master',#主库
                            'DRIVER': 'sqlite',
                            'UID': '',
                            'PASSWD': '',
                            'HOST': '',
                            'PORT': '',
                            'DATABASE': 'app.db',
                            'QUERY': {}
                        }]
    }
}
PING_DB = 500
SQLALCHEMY_CONFIGURATION = {
    'sqlalchemy.connect_args': {
            'timeout': 3
     },
    'sqlalchemy.echo': False, #开启打印sql日志
    'sqlalchemy.max_overflow': 10,
    'sqlalchemy.echo_pool': False,
    'sqlalchemy.pool_timeout': 5,
    'sqlalchemy.encoding': 'utf-8',
    'sqlalchemy.pool_size': 100,
    'sqlalchemy.pool_recycle': 3600,
    'sqlalchemy.poolclass': 'QueuePool'  # 手动指定连接池类
}
"""
    )
    app.write(
        "myapp1/models.py",
        """
        from torngas.db.dbalchemy import Model
        from sqlalchemy import *

        class BaseModel(Model):
            __abstract__ = True
            __connection_name__ = 'default' #对应配置中的default项

            ID = Column('id', Integer, primary_key=True, nullable=False)  # primary key

        class User(BaseModel):

            __tablename__ = 'users'

            name = Column(String(10), nullable=False)
            password = Column(String(64), nullable=False)
        """,
    )
    handler(
        app,
        """
class Main(WebHandler):
    def get(self, what):
        if what == 'make':
            get_connector().create_db()
            session = User.session.using_master()
            session.add_all([User(name=f'jack{n}', password='x') for n in range(25)])
            session.commit()
        query = User.Q.order_by(User.ID)
        pagelist_obj = query.paginate(page=3, per_page=10, default=None)
        total = pagelist_obj.total
        page = pagelist_obj.page
        items = pagelist_obj.items
        one = User.Q.filter(User.name=='jack0').all()
        same = User.session.query(User).filter(User.name=='jack0').all()
        self.write({'total': total, 'page': page, 'items': len(items), 'one': len(one), 'same': one == same})
""",
        "from myapp1.models import User\nfrom torngas.db.dbalchemy import get_connector",
    )
    app.start()
    app.get("/make")
    assert app.get() == '{"total": 25, "page": 3, "items": 5, "one": 1, "same": true}'


def test_async_execute(app):
    handler(
        app,
        """
class Main(WebHandler):
    @coroutine
    def get(self, _):
        a='1'
        b='2'
        #支持使用gen的task模块来同步化异步调用
        result = yield self.dosomething(a, b)
        self.finish(result)

    @async_execute
    def dosomething(self,a,b):
        # 这里可能耗时很久
        # something...
        result='return'
        return result + a + b + threading.current_thread().name
""",
        "import threading\n"
        "from tornado.gen import coroutine\n"
        "from torngas.decorators.async_execute import async_execute",
    )
    app.start()
    assert app.get().startswith("return12torngas")


def test_session(app):
    app.settings(
        """
INSTALLED_APPS = ('myapp1',)
MIDDLEWARE_CLASSES = ('torngas.middleware.session.SessionMiddleware',)
SESSION = {
    'session_cache_alias': 'default',  # 'session_loccache',对应cache配置名
    'session_name': '__TORNADOSSID',
    'cookie_domain': '',
    'cookie_path': '/',
    'expires': 0,  # 24 * 60 * 60, # 24 hours in seconds,0代表浏览器会话过期
    'ignore_change_ip': False,
    'httponly': True,
    'secure': False,
    'secret_key': 'fLjUfxqXtfNoIldA0A0J',
    'session_version': 'EtdHjDO1'
}
"""
    )
    app.write(
        "myapp1/handlers/main_handler.py",
        """
        from torngas.handler import WebHandler

        class LoginHandler(WebHandler):
            def get(self,uid):
                self.session['userid'] = uid
                self.set_expire(3600 * 24 * 30) #30天

        class AuthHandler(WebHandler):
            def get(self,uid):
                uid = self.session['userid']
                self.write(str(uid))

        class LogoutHandler(WebHandler):
            def get(self,uid):
                del self.session['userid']
        """,
    )
    app.write(
        "myapp1/urls.py",
        """
        from torngas import Url, route
        u = Url('myapp1.handlers.main_handler')
        urls = route(u('/in/(.*)', 'LoginHandler'), u('/who/(.*)', 'AuthHandler'), u('/out/(.*)', 'LogoutHandler'))
        """,
    )
    app.start()
    assert app.get("/who/") == "None"
    app.get("/in/7")
    (cookie,) = app.cookies
    assert cookie.name == "__TORNADOSSID"
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.expires is not None
    assert app.get("/who/") == "7"
    app.get("/out/")
    assert app.get("/who/") == "None"


def test_signal(app):
    app.settings("INSTALLED_APPS = ('myapp1',)\nMIDDLEWARE_CLASSES = ('torngas.middleware.signal.SignalMiddleware',)\n")
    handler(
        app,
        """
seen = []

class MyService(object):

    # 通过装饰器来注册事件回调
    @receiver(call_started)
    def callback(**kwargs):
        seen.append(('service', kwargs['request'].path, kwargs['signal'] is call_started))

def callback(**kwargs):
    seen.append((kwargs['template_name'], kwargs['sender'].__name__, kwargs['kwargs']))

# 通过调用信号connect方法注册事件回调
handler_render.connect(callback)

my_event = Signal(providing_args=["args1"])

@my_event.connect
def on_my_event(sender, args1, **kwargs):
    seen.append(('mine', sender is Main, args1))

class Main(WebHandler):
    def get(self, _):
        # 事件触发
        my_event.send(sender=self.__class__.__mro__[0] if type(self) is Main else Main, args1='arg')
        self.render_string('page.html', a=1)
        self.write({'seen': seen})
""",
        "from torngas.signal import call_started,handler_render,receiver\nfrom torngas.dispatch import Signal",
    )
    app.write("templates/page.html", "page")
    app.start()
    assert app.get("/x") == (
        '{"seen": [["service", "/x", true], ["mine", true, "arg"], ["page.html", "Main", {"a": 1}]]}'
    )


def test_basedb(tmp_path):
    """`torngas.db.basedb` works as the module of web.py that it comes from."""
    from torngas.db import basedb

    db = basedb.database(dbn="sqlite", db=str(tmp_path / "x.db"))
    db.query("create table person (id integer primary key, name text)")
    assert db.insert("person", name="ada") == 1
    assert db.select("person", where="name=$name", vars={"name": "ada"}).first().name == "ada"
